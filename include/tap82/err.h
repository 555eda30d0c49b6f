/* SPDX-License-Identifier: ISC
 *
 * Errors. Every function that can fail returns 0 (or a count) or one of these, negative.
 * Values from -4095 to -1 are negated errno values; ours start at -4096 and go down. Outputs
 * (`ret_*`) are written on success only.
 */
#ifndef TAP82_ERR_H
#define TAP82_ERR_H

enum err {
	ERR_OK = 0,
	ERR_SYNTAX = -4096, /* text does not have the form it must have */
	ERR_RANGE = -4097, /* a value outside its limits */
	ERR_MISSING = -4098, /* a required value is not there */
	ERR_DUPLICATE = -4099, /* it exists already */
	ERR_NOT_FOUND = -4100, /* it does not exist */
	ERR_TRUNCATED = -4101, /* input ends too early */
	ERR_VERSION = -4102, /* made by another version */
	ERR_CORRUPT = -4103, /* stored data that contradicts itself */
	ERR_REFUSED = -4104, /* the peer said no */
	ERR_TIMEOUT = -4105, /* no answer in time */
	ERR_CLOSED = -4106, /* the peer went away */
	ERR_PERMISSION = -4107, /* readable by too many, or not by us */
	ERR_FULL = -4108, /* a bounded thing is full */
};

/* The text of an error returned by any tap82 function: static storage, never NULL. */
const char *err_text(int err);

#endif
