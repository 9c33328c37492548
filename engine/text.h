/* text.h - a bounded writer: counts what does not fit, and never writes beyond its end. */
#ifndef LT_TEXT_H
#define LT_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct lt_text {
  char *bytes;
  size_t size;   /* of bytes, with the NUL; 0: only count */
  size_t length; /* of the whole text, written or not */
};

void lt_text_put(struct lt_text *text, const char *string);
void lt_text_add(struct lt_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same as "%PRId64" and so on, at a tenth of the price. */
void lt_text_signed(struct lt_text *text, int64_t value);
void lt_text_unsigned(struct lt_text *text, uint64_t value);
void lt_text_hex(struct lt_text *text, uint64_t value); /* "%#PRIx64" */
/* Forget what came after `length`. */
void lt_text_cut(struct lt_text *text, size_t length);
/* Write the final NUL. */
void lt_text_end(struct lt_text *text);

enum lt_quote {
  LT_QUOTE,     /* characters, and escapes as C has them */
  LT_QUOTE_HEX, /* \x12 for every byte */
};
/* Bytes between double quotes, nothing in them can leave the line or the quotes. */
void lt_text_quote(struct lt_text *text, const void *bytes, size_t size, enum lt_quote how);

#endif
