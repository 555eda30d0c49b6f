/* SPDX-License-Identifier: ISC
 *
 * The event loop: descriptors, timers, signals. core/base/loop.c (and http.c beside it) are the
 * only files that know libevent. Everything runs on one thread.
 *
 * A turn: all callbacks that were due, then the after-turn hook. The engine commits its
 * transaction there and only then speaks (durable first, then speak, in groups).
 */
#ifndef TAP82_LOOP_H
#define TAP82_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* NULL if memory or the kernel refuses. */
struct loop *loop_new(void);
void loop_free(struct loop *loop); /* after everything made on it */

typedef void (*loop_io_fn)(void *ctx, int fd, int what);
typedef void (*loop_fn)(void *ctx);

/* Watches fd, which stays the caller's, for LOOP_READ | LOOP_WRITE; NULL on failure. */
struct loop_io *loop_io_new(struct loop *loop, int fd, int what, loop_io_fn fn, void *ctx);
/* Changes what is watched; 0 pauses. 0, or negative. */
int loop_io_set(struct loop_io *io, int what);
void loop_io_free(struct loop_io *io); /* NULL is fine; before the fd is closed */

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *ctx);
/* Due once, `after` microseconds from now (0: in the next turn); replaces an earlier setting. */
void loop_timer_set(struct loop_timer *timer, int64_t after);
void loop_timer_clear(struct loop_timer *timer);
bool loop_timer_is_set(const struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); /* NULL is fine */

/* Calls fn in the loop, not in the signal handler. */
struct loop_signal *loop_signal_new(struct loop *loop, int signo, loop_fn fn, void *ctx);
void loop_signal_free(struct loop_signal *signal);

void loop_after_turn(struct loop *loop, loop_fn fn, void *ctx);
/* Microseconds since the first callback of this turn began; 0 if none of ours has. Not before the
 * requests of HTTP, which libevent itself hands on. */
int64_t loop_turn_time(const struct loop *loop);
/* Until loop_stop(); 0, or negative if the loop itself failed. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

#endif
