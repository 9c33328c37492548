/* text.c - the bounded writer, and how bytes of a tracee are escaped. */
#include "text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void append(struct lt_text *text, const char *bytes, size_t size)
{
  if (text->length < text->size) {
    size_t room = text->size - text->length;
    memcpy(text->bytes + text->length, bytes, size < room ? size : room);
  }
  text->length += size;
}

void lt_text_put(struct lt_text *text, const char *string)
{
  append(text, string, strlen(string));
}

void lt_text_add(struct lt_text *text, const char *format, ...)
{
  char bytes[256]; /* all formats are numbers and short names */
  va_list args;
  va_start(args, format);
  int size = vsnprintf(bytes, sizeof(bytes), format, args);
  va_end(args);
  if (size > 0) {
    append(text, bytes, (size_t)size < sizeof(bytes) ? (size_t)size : sizeof(bytes) - 1);
  }
}

static void add_digits(struct lt_text *text, uint64_t value, unsigned base, const char *before)
{
  char digits[24], *at = digits + sizeof digits;
  do
    *--at = "0123456789abcdef"[value % base];
  while (value /= base);
  for (size_t i = strlen(before); i > 0; i--)
    *--at = before[i - 1];
  append(text, at, (size_t)(digits + sizeof digits - at));
}

void lt_text_signed(struct lt_text *text, int64_t value)
{
  add_digits(text, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0 ? "-" : "");
}

void lt_text_unsigned(struct lt_text *text, uint64_t value)
{
  add_digits(text, value, 10, "");
}

void lt_text_hex(struct lt_text *text, uint64_t value)
{
  add_digits(text, value, 16, value ? "0x" : "");
}

void lt_text_cut(struct lt_text *text, size_t length)
{
  text->length = length;
}

void lt_text_end(struct lt_text *text)
{
  if (text->size > 0) {
    text->bytes[text->length < text->size ? text->length : text->size - 1] = '\0';
  }
}

static const char *short_escape(unsigned char c)
{
  switch (c) {
  case '"':
    return "\\\"";
  case '\\':
    return "\\\\";
  case '\t':
    return "\\t";
  case '\n':
    return "\\n";
  case '\v':
    return "\\v";
  case '\f':
    return "\\f";
  case '\r':
    return "\\r";
  default:
    return NULL;
  }
}

/* An octal escape is as short as the next character allows. */
static void quote_byte(struct lt_text *text, unsigned char c, bool digit_follows)
{
  const char *escape = short_escape(c);
  if (escape) {
    lt_text_put(text, escape);
  } else if (c >= ' ' && c < 0x7f) {
    append(text, (const char *)&c, 1);
  } else {
    lt_text_add(text, digit_follows ? "\\%03o" : "\\%o", c);
  }
}

void lt_text_quote(struct lt_text *text, const void *bytes, size_t size, enum lt_quote how)
{
  const unsigned char *byte = bytes;
  lt_text_put(text, "\"");
  for (size_t i = 0; i < size; i++) {
    if (how == LT_QUOTE_HEX) {
      lt_text_add(text, "\\x%02x", byte[i]);
    } else {
      quote_byte(text, byte[i], i + 1 < size && byte[i + 1] >= '0' && byte[i + 1] <= '9');
    }
  }
  lt_text_put(text, "\"");
}
