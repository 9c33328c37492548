/* text.c - text that a traced program may have made up, on its way to a terminal. */
#include <stdlib.h>
#include <string.h>

#include "binding.h"

/* Write one byte as in a C string; `next` is the byte that follows. Returns the length. */
static int escape_byte(char out[5], unsigned char byte, unsigned char next)
{
  static const char letters[] = "abtnvfr"; /* from 7 on */
  if (byte >= 7 && byte <= 13)
    return snprintf(out, 5, "\\%c", letters[byte - 7]);
  bool digit_follows = next >= '0' && next <= '7';
  return snprintf(out, 5, digit_follows ? "\\%03o" : "\\%o", (unsigned)byte);
}

/* The length of the printable UTF-8 character that begins here; 0 if there is none. C1 controls
 * (U+0080 to U+009F) are obeyed by terminals, so they do not count. */
static size_t printable(const unsigned char *at, size_t left)
{
  size_t length = *at < 0x80 ? 1 : *at < 0xc2 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : 4;
  if (length == 1)
    return (*at >= 0x20 && *at != 0x7f) || *at == '\n' || *at == '\t';
  if (length == 0 || *at > 0xf4 || left < length || (*at == 0xc2 && at[1] < 0xa0))
    return 0;
  for (size_t i = 1; i < length; i++)
    if ((at[i] & 0xc0) != 0x80)
      return 0;
  return length;
}

char *bind_harmless(const char *text, size_t size, size_t *ret)
{
  char *copy = malloc(size * 4 + 1);
  size_t used = 0;
  if (!copy)
    return NULL;
  for (size_t i = 0; i < size;) {
    const unsigned char *at = (const unsigned char *)text + i;
    size_t length = printable(at, size - i);
    if (length) {
      memcpy(copy + used, at, length);
    } else {
      char escaped[5];
      int width = escape_byte(escaped, *at, i + 1 < size ? at[1] : 0);
      memcpy(copy + used, escaped, (size_t)width);
      used += (size_t)width;
    }
    used += length;
    i += length ? length : 1;
  }
  copy[used] = '\0';
  *ret = used;
  return copy;
}

/* core.escape(text) -> the text as in a C string, without quotes: control characters, quotes,
 * backslashes and all bytes beyond ASCII are written as escapes. */
static int core_escape(lua_State *L)
{
  size_t size;
  const char *text = luaL_checklstring(L, 1, &size);
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)text[i];
    char escaped[5];
    if (byte == '"' || byte == '\\')
      luaL_addchar(&buffer, '\\');
    if (byte >= 0x20 && byte < 0x7f)
      luaL_addchar(&buffer, (char)byte);
    else
      luaL_addlstring(
          &buffer, escaped,
          (size_t)escape_byte(escaped, byte, i + 1 < size ? (unsigned char)text[i + 1] : 0));
  }
  luaL_pushresult(&buffer);
  return 1;
}

void bind_open_text(lua_State *L)
{
  static const luaL_Reg functions[] = {{"escape", core_escape}, {NULL, NULL}};
  luaL_setfuncs(L, functions, 0);
}
