/* SPDX-License-Identifier: ISC
 *
 * The kernel filter: a BPF program that lets every frame pass that frame_decode() may make a
 * wanted datagram of, and drops the rest before it is copied. It is written here, instruction by
 * instruction, because the language of pcap_compile() can't say it: tags both stripped by the
 * kernel and in the bytes, any number of them, later fragments, tunnels.
 */
#ifndef TAP82_FILTER_H
#define TAP82_FILTER_H

#include <stdint.h>

#include "tap82/frame.h"

#define FILTER_MAX 4096 /* the kernel's BPF_MAXINSNS */

/* One instruction, laid out as struct bpf_insn and struct sock_filter are. */
struct filter_insn {
	uint16_t code;
	uint8_t jt, jf;
	uint32_t k;
};

/* Writes the program for frames of `link_type`. The number of instructions; ERR_NOT_FOUND: no such
 * link type (capture without a filter); ERR_FULL: it would be too long. */
int filter_build(
	int link_type, const struct frame_want *want, struct filter_insn ret_program[FILTER_MAX]);

#endif
