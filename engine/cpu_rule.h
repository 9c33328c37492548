/* cpu_rule.h - which threads share the tracer's CPU: the rule alone, from figures to decisions. */
#ifndef LT_CPU_RULE_H
#define LT_CPU_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One thread during a tick. Times are in nanoseconds. */
struct lt_cpu_share {
  uint64_t executed; /* it ran */
  uint64_t delayed;  /* it could have run, but others had the CPU */
  uint32_t stops;
  uint8_t calm; /* ticks in a row in which it would rather have shared; kept from tick to tick */
  bool free;    /* it may use all its CPUs; changed by the rule */
  bool push;    /* decided: it is to leave the tracer's CPU now, if it is there */
};

struct lt_cpu_tick {
  uint64_t length;            /* of the tick */
  uint64_t wake;              /* what a stop costs more between two CPUs than on one */
  uint64_t executed, delayed; /* the tracer's own */
  bool coin;                  /* a random bit */
  unsigned cpus;              /* that the tracer may use */
  struct lt_cpu_share *threads;
  size_t count;
  unsigned roomy; /* ticks in a row in which all had room on one CPU; kept from tick to tick */
  unsigned rest;  /* ticks before the tracer may move; kept from tick to tick */
  bool move;      /* decided: the tracer is to go to another CPU */
};

/* Decide what each thread does from now on, and whether the tracer moves. */
void lt_cpu_decide(struct lt_cpu_tick *tick);

#endif
