/* SPDX-License-Identifier: ISC
 *
 * Metrics in Prometheus' text format (0.0.4): a row a metric.
 */
#ifndef TAP82_CLI_RUN_METRICS_H
#define TAP82_CLI_RUN_METRICS_H

#include <stdio.h>

#include "run.h"

void run_metrics_write(struct run *run, FILE *out);

#endif
