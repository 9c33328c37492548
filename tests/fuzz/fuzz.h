/* fuzz.h - what libFuzzer calls; run.c calls it with files. What it is given may be anything: it
 * must neither crash nor hang, and what comes out must keep the promises that headers make. */
#ifndef LT_FUZZ_H
#define LT_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                               \
  do {                                                                                \
    if (!(condition)) {                                                               \
      fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                        \
    }                                                                                 \
  } while (0)

#endif
