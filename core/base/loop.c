/* SPDX-License-Identifier: ISC */
#include <event2/event.h>
#include <stdlib.h>

#include "tap82/clock.h"
#include "tap82/err.h"
#include "tap82/loop.h"

struct loop {
	struct event_base *base;
	loop_fn after;
	void *after_ctx;
	int64_t woke; /* the first callback of this turn; 0: none yet */
	bool stopped;
};

struct loop_io {
	struct event *event;
	struct loop *loop;
	loop_io_fn fn;
	void *ctx;
	int fd;
};

struct loop_timer {
	struct event *event;
	struct loop *loop;
	loop_fn fn;
	void *ctx;
};

struct loop_signal {
	struct event *event;
	struct loop *loop;
	loop_fn fn;
	void *ctx;
};

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	struct event_config *config = event_config_new();

	if (!loop || !config)
		goto fail;
	event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
	loop->base = event_base_new_with_config(config);
	if (!loop->base)
		goto fail;
	event_config_free(config);
	return loop;
fail:
	if (config)
		event_config_free(config);
	free(loop);
	return NULL;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	event_base_free(loop->base);
	free(loop);
}

/* For http.c beside us: libevent's own base. Declared there, in no header. */
struct event_base *loop_event_base(struct loop *loop);
struct event_base *loop_event_base(struct loop *loop)
{
	return loop->base;
}

static void turn_begins(struct loop *loop)
{
	if (loop->woke == 0)
		loop->woke = clock_mono();
}

static void io_ready(evutil_socket_t fd, short what, void *arg)
{
	struct loop_io *io = arg;
	int ready = (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0);

	turn_begins(io->loop);
	io->fn(io->ctx, fd, ready);
}

int loop_io_set(struct loop_io *io, int what)
{
	short events =
		(short)((what & LOOP_READ ? EV_READ : 0) | (what & LOOP_WRITE ? EV_WRITE : 0));

	event_del(io->event);
	if (events == 0)
		return 0;
	if (event_assign(io->event, io->loop->base, io->fd, events | EV_PERSIST, io_ready, io) <
			0 ||
		event_add(io->event, NULL) < 0)
		return ERR_REFUSED;
	return 0;
}

struct loop_io *loop_io_new(struct loop *loop, int fd, int what, loop_io_fn fn, void *ctx)
{
	struct loop_io *io = calloc(1, sizeof(*io));

	if (!io)
		return NULL;
	*io = (struct loop_io){.loop = loop, .fn = fn, .ctx = ctx, .fd = fd};
	io->event = event_new(loop->base, fd, EV_PERSIST, io_ready, io);
	if (!io->event || loop_io_set(io, what) < 0) {
		loop_io_free(io);
		return NULL;
	}
	return io;
}

void loop_io_free(struct loop_io *io)
{
	if (!io)
		return;
	if (io->event)
		event_free(io->event);
	free(io);
}

static void timer_due(evutil_socket_t fd, short what, void *arg)
{
	struct loop_timer *timer = arg;

	(void)fd;
	(void)what;
	turn_begins(timer->loop);
	timer->fn(timer->ctx);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *ctx)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return NULL;
	*timer = (struct loop_timer){.loop = loop, .fn = fn, .ctx = ctx};
	timer->event = event_new(loop->base, -1, 0, timer_due, timer);
	if (!timer->event) {
		free(timer);
		return NULL;
	}
	return timer;
}

void loop_timer_set(struct loop_timer *timer, int64_t after)
{
	struct timeval tv = {.tv_sec = after / USEC_PER_SEC, .tv_usec = after % USEC_PER_SEC};

	if (after < 0)
		tv = (struct timeval){0};
	event_add(timer->event, &tv);
}

void loop_timer_clear(struct loop_timer *timer)
{
	event_del(timer->event);
}

bool loop_timer_is_set(const struct loop_timer *timer)
{
	return event_pending(timer->event, EV_TIMEOUT, NULL);
}

void loop_timer_free(struct loop_timer *timer)
{
	if (!timer)
		return;
	event_free(timer->event);
	free(timer);
}

static void signal_came(evutil_socket_t fd, short what, void *arg)
{
	struct loop_signal *signal = arg;

	(void)fd;
	(void)what;
	turn_begins(signal->loop);
	signal->fn(signal->ctx);
}

struct loop_signal *loop_signal_new(struct loop *loop, int signo, loop_fn fn, void *ctx)
{
	struct loop_signal *signal = calloc(1, sizeof(*signal));

	if (!signal)
		return NULL;
	*signal = (struct loop_signal){.loop = loop, .fn = fn, .ctx = ctx};
	signal->event = evsignal_new(loop->base, signo, signal_came, signal);
	if (!signal->event || event_add(signal->event, NULL) < 0) {
		loop_signal_free(signal);
		return NULL;
	}
	return signal;
}

void loop_signal_free(struct loop_signal *signal)
{
	if (!signal)
		return;
	if (signal->event)
		event_free(signal->event);
	free(signal);
}

void loop_after_turn(struct loop *loop, loop_fn fn, void *ctx)
{
	loop->after = fn;
	loop->after_ctx = ctx;
}

int64_t loop_turn_time(const struct loop *loop)
{
	return loop->woke ? clock_mono() - loop->woke : 0;
}

int loop_run(struct loop *loop)
{
	loop->stopped = false;
	while (!loop->stopped) {
		if (event_base_loop(loop->base, EVLOOP_ONCE) != 0)
			return ERR_REFUSED;
		if (loop->after)
			loop->after(loop->after_ctx);
		loop->woke = 0;
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
	event_base_loopbreak(loop->base);
}
