/* SPDX-License-Identifier: ISC
 *
 * Coverage builds only (linked with --wrap=_exit): gcov counts in memory and writes at exit(),
 * which a forked process that ends with _exit() never calls. Most of tap82's processes end so.
 */
#include <stdnoreturn.h>

void __gcov_dump(void);
noreturn void __real__exit(int code);
noreturn void __wrap__exit(int code);

void __wrap__exit(int code)
{
	__gcov_dump();
	__real__exit(code);
}
