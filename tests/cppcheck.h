/* SPDX-License-Identifier: ISC
 *
 * For cppcheck only, which does not read system headers: what utlist.h's loop is.
 */
#define DL_FOREACH(head, el) for ((el) = (head); (el); (el) = (el)->next)
