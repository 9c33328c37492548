/* embed.c - run while building: embed OUTPUT MODULE.lua...
 *
 * Write the Lua modules as one C file that defines lt_prelude (bindings/prelude.h), compiled to
 * bytecode by the Lua that luatrace is built for. scripts/luatrace/init.lua is the module "luatrace",
 * NAME.lua is "luatrace.NAME". Line numbers and names stay in it: tracebacks tell them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

struct output {
  FILE *file;
  size_t size;
};

static int fail(const char *what, const char *why)
{
  fprintf(stderr, "embed: %s: %s\n", what, why);
  return EXIT_FAILURE;
}

/* lua_Writer: the bytes as numbers, since a C compiler need not accept long string literals. */
static int write_bytes(lua_State *L, const void *bytes, size_t size, void *data)
{
  struct output *output = data;
  (void)L;
  for (size_t i = 0; i < size; i++)
    fprintf(output->file, "%u,%s", ((const unsigned char *)bytes)[i],
            ++output->size % 24 == 0 ? "\n" : "");
  return ferror(output->file);
}

static int dump(lua_State *L, struct output *output)
{
#if LUA_VERSION_NUM >= 503
  return lua_dump(L, write_bytes, output, 0);
#else
  return lua_dump(L, write_bytes, output);
#endif
}

/* "luatrace.NAME" for scripts/luatrace/NAME.lua */
static void module_name(const char *path, char *ret, size_t size)
{
  const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  int length = (int)strcspn(base, ".");
  if (strncmp(base, "init.", 5) == 0)
    snprintf(ret, size, "luatrace");
  else
    snprintf(ret, size, "luatrace.%.*s", length, base);
}

/* luaL_loadfile() with a name of our own. */
static int load(lua_State *L, const char *path, const char *name)
{
  char chunk[128];
  FILE *file = fopen(path, "rb");
  if (!file)
    return LUA_ERRFILE;
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  for (int c; (c = getc(file)) != EOF;)
    luaL_addchar(&buffer, (char)c);
  fclose(file);
  luaL_pushresult(&buffer);
  size_t size;
  const char *text = lua_tolstring(L, -1, &size);
  snprintf(chunk, sizeof chunk, "=%s", name);
  int status = luaL_loadbuffer(L, text, size, chunk);
  lua_remove(L, -2);
  return status;
}

int main(int argc, char **argv)
{
  lua_State *L = luaL_newstate();
  FILE *file = argc > 1 ? fopen(argv[1], "w") : NULL;
  char name[128];
  if (!L || !file)
    return fail(argc > 1 ? argv[1] : "OUTPUT", "cannot be written");
  fprintf(file, "/* Made by embed.c from scripts/luatrace/. */\n#include \"prelude.h\"\n\n");
  for (int i = 2; i < argc; i++) {
    struct output output = {file, 0};
    module_name(argv[i], name, sizeof name);
    if (load(L, argv[i], name) != 0)
      return fail(argv[i], lua_tostring(L, -1));
    fprintf(file, "static const unsigned char module_%d[] = {\n", i);
    if (dump(L, &output) != 0)
      return fail(argv[i], "cannot be dumped");
    fprintf(file, "};\n\n");
    lua_pop(L, 1);
  }
  fprintf(file, "const struct lt_embedded lt_prelude[] = {\n");
  for (int i = 2; i < argc; i++) {
    module_name(argv[i], name, sizeof name);
    fprintf(file, "  {\"%s\", (const char *)module_%d, sizeof module_%d},\n", name, i, i);
  }
  fprintf(file, "  {NULL, NULL, 0},\n};\n");
  lua_close(L);
  return fclose(file) == 0 ? EXIT_SUCCESS : fail(argv[1], "cannot be written");
}
