/* read_lines_test.c - addresses and lines of programs that are compiled here: see read_lines.c and
 * read_places.c. */

#include "tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "read_lines.h"
#include "read_places.h"

static const char plain[] = "#include <stdio.h>\n"              /* 1 */
                            "static int twice(int n)\n"         /* 2 */
                            "{\n"                               /* 3 */
                            "  return n * 2;\n"                 /* 4 */
                            "}\n"                               /* 5 */
                            "\n"                                /* 6 */
                            "int main(int argc, char **argv)\n" /* 7 */
                            "{\n"                               /* 8 */
                            "  int sum = 0;\n"                  /* 9 */
                            "  for (int i = 0; i < 3; i++)\n"   /* 10 */
                            "    sum += twice(i + argc);\n"     /* 11 */
                            "\n"                                /* 12 */
                            "  printf(\"%d %s\\n\", sum,\n"     /* 13 */
                            "         argv[0]);\n"              /* 14 */
                            "  return 0;\n"                     /* 15 */
                            "}\n";

static const char template[] = "template <class T> T half(T value)\n" /* 1 */
                               "{\n"                                  /* 2 */
                               "  return value / 2;\n"                /* 3 */
                               "}\n"                                  /* 4 */
                               "int main(int argc, char **)\n"        /* 5 */
                               "{\n"                                  /* 6 */
                               "  return half(argc) + half(argc * 1.5) + half(argc * 3L);\n"
                               "}\n";

static const char inlined[] =
    "volatile int sink;\n"                                                               /* 1 */
    "static inline __attribute__((always_inline)) void inner(int n)\n"                   /* 2 */
    "{\n"                                                                                /* 3 */
    "  sink = n;\n"                                                                      /* 4 */
    "}\n"                                                                                /* 5 */
    "static inline __attribute__((always_inline)) void outer(int n)\n"                   /* 6 */
    "{\n"                                                                                /* 7 */
    "  inner(n + 1);\n"                                                                  /* 8 */
    "}\n"                                                                                /* 9 */
    "__attribute__((noinline)) void one(int n) { outer(n); }\n"                          /* 10 */
    "__attribute__((noinline)) void two(int n) { outer(n); inner(n); }\n"                /* 11 */
    "int main(int argc, char **argv) { one(argc); two(argc); (void)argv; return 0; }\n"; /* 12 */

/* ---- A folder with programs ----------------------------------------------------------------- */

static void put_file(const char *folder, const char *name, const char *text)
{
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static bool run(void **state, const char *line)
{
  char command[1024];
  snprintf(command, sizeof command, "cd %s && { %s; } >log 2>&1", (char *)*state, line);
  return system(command) == 0; /* NOLINT(cert-env33-c): what the test says */
}

static int set_up(void **state)
{
  char *folder = strdup("/tmp/luatrace-lines-XXXXXX");
  if (!folder || !mkdtemp(folder)) {
    free(folder);
    return -1;
  }
  *state = folder;
  if (!run(state, "mkdir -p 'a b/src' other"))
    return -1;
  put_file(folder, "a b/src/plain.c", plain);
  put_file(folder, "template.cc", template);
  put_file(folder, "inlined.c", inlined);
  return 0;
}

static int tear_down(void **state)
{
  char command[512];
  snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
  free(*state);
  return system(command); /* NOLINT(cert-env33-c): what the test says */
}

static struct lt_read_file *open_program(void **state, const char *name)
{
  char path[512];
  struct lt_read_file *file;
  snprintf(path, sizeof path, "%s/%s", (char *)*state, name);
  assert_int_equal(lt_read_open(open(path, O_RDONLY | O_CLOEXEC), -1, path, false, &file), 0);
  return file;
}

/* Compile and open. */
static struct lt_read_file *build(void **state, const char *command)
{
  char line[512];
  snprintf(line, sizeof line, "rm -f prog; %s -o prog", command);
  assert_true(run(state, line));
  return open_program(state, "prog");
}

/* ---- Questions ------------------------------------------------------------------------------ */

static int ask_places(struct lt_read_file *file, const char *name, uint32_t line,
                      struct lt_bytes *ret)
{
  struct lt_bytes question = {0};
  lt_put_string(&question, name);
  lt_put_u32(&question, line);
  struct lt_bytes_in in = {question.at, question.size, false};
  int error = lt_read_lines_of(file, &in, ret);
  lt_bytes_free(&question);
  return error;
}

static int ask_at(struct lt_read_file *file, uint64_t addr, bool prologue, struct lt_bytes *ret)
{
  struct lt_bytes question = {0};
  lt_put_u64(&question, addr);
  lt_put_u8(&question, prologue);
  struct lt_bytes_in in = {question.at, question.size, false};
  int error = lt_read_lines_at(file, &in, ret);
  lt_bytes_free(&question);
  return error;
}

/* How many places the line has; their addresses in addrs, the name of the last one in name. */
static uint32_t places(struct lt_read_file *file, const char *path, uint32_t line,
                       uint64_t addrs[16], char name[64])
{
  struct lt_bytes answer = {0};
  assert_int_equal(ask_places(file, path, line, &answer), 0);
  struct lt_bytes_in in = {answer.at, answer.size, false};
  assert_int_equal(lt_get_u8(&in), LT_PLACES_FOUND);
  uint32_t count = lt_get_u32(&in);
  assert_true(count > 0 && count <= 16);
  for (uint32_t i = 0; i < count; i++) {
    addrs[i] = lt_get_u64(&in);
    uint32_t own = lt_get_u32(&in);
    if (line)
      assert_int_equal(own, line);
    lt_get_string(&in);
    snprintf(name, 64, "%s", lt_get_string(&in));
  }
  assert_false(in.failed);
  assert_int_equal(in.size, 0);
  lt_bytes_free(&answer);
  return count;
}

static void expect_line(struct lt_read_file *file, uint64_t addr, uint32_t line, const char *calls)
{
  struct lt_bytes answer = {0};
  char text[256] = "";
  assert_int_equal(ask_at(file, addr, false, &answer), 0);
  struct lt_bytes_in in = {answer.at, answer.size, false};
  lt_get_string(&in);
  assert_int_equal(lt_get_u32(&in), line);
  lt_get_u32(&in);
  snprintf(text, sizeof text, "%s", lt_get_string(&in));
  uint32_t count = lt_get_u32(&in);
  for (uint32_t i = 0; i < count; i++) {
    const char *name = lt_get_string(&in);
    lt_get_string(&in);
    uint32_t call_line = lt_get_u32(&in);
    lt_get_u32(&in);
    size_t length = strlen(text);
    snprintf(text + length, sizeof text - length, " %s:%u", name, call_line);
  }
  assert_string_equal(text, calls);
  assert_false(in.failed);
  lt_bytes_free(&answer);
}

/* ---- Tests ---------------------------------------------------------------------------------- */

static void test_plain(void **state)
{
  struct lt_read_file *file = build(state, "gcc -g -O0 'a b/src/plain.c'");
  uint64_t addrs[16], again[16];
  char name[64];
  assert_int_equal(places(file, "plain.c", 4, addrs, name), 1);
  assert_string_equal(name, "twice");
  expect_line(file, addrs[0], 4, "twice");
  assert_int_equal(places(file, "src/plain.c", 4, again, name), 1);
  assert_int_equal(again[0], addrs[0]);
  assert_int_equal(places(file, "a b/src/plain.c", 4, again, name), 1);
  assert_int_equal(places(file, "./../src/plain.c", 4, again, name), 1);
  /* the loop's line has three parts in one block */
  assert_int_equal(places(file, "plain.c", 10, addrs, name), 1);
  assert_string_equal(name, "main");
  lt_read_close(file);
}

static void test_prologue(void **state)
{
  struct lt_read_file *file = build(state, "gcc -g -O0 'a b/src/plain.c'");
  uint64_t addrs[16], body[16], brace[16];
  char name[64];
  assert_int_equal(places(file, "plain.c", 0, addrs, name), 2);
  for (int i = 0; i < 2; i++) {
    struct lt_bytes answer = {0};
    expect_line(file, addrs[i], i ? 8 : 3, i ? "main" : "twice");
    assert_int_equal(ask_at(file, addrs[i], true, &answer), 0);
    struct lt_bytes_in in = {answer.at, answer.size, false};
    assert_int_equal(places(file, "plain.c", i ? 9 : 4, body, name), 1);
    assert_int_equal(lt_get_u64(&in), body[0]);
    /* the line of the brace means the same place */
    assert_int_equal(places(file, "plain.c", i ? 8 : 3, brace, name), 1);
    assert_int_equal(brace[0], body[0]);
    lt_bytes_free(&answer);
  }
  lt_read_close(file);
}

static void test_nearest(void **state)
{
  struct lt_read_file *file = build(state, "gcc -g -O0 'a b/src/plain.c'");
  struct lt_bytes answer = {0};
  assert_int_equal(ask_places(file, "plain.c", 12, &answer), 0);
  struct lt_bytes_in in = {answer.at, answer.size, false};
  assert_int_equal(lt_get_u8(&in), LT_PLACES_NO_CODE);
  assert_int_equal(lt_get_u32(&in), 11);
  assert_int_equal(lt_get_u32(&in), 13);
  assert_non_null(strstr(lt_get_string(&in), "/a b/src/plain.c"));
  lt_bytes_free(&answer);
  assert_int_equal(ask_places(file, "plane.c", 12, &answer), 0);
  in = (struct lt_bytes_in){answer.at, answer.size, false};
  assert_int_equal(lt_get_u8(&in), LT_PLACES_NO_FILE);
  assert_string_equal(lt_get_string(&in), "plain.c");
  lt_bytes_free(&answer);
  assert_int_equal(ask_places(file, "other/plain.c", 4, &answer), 0);
  assert_int_equal(answer.at[0], LT_PLACES_NO_FILE);
  lt_bytes_free(&answer);
  assert_int_equal(ask_places(file, "", 4, &answer), -EINVAL);
  lt_read_close(file);
}

static void test_template(void **state)
{
  struct lt_read_file *file = build(state, "g++ -g -O0 template.cc");
  uint64_t addrs[16];
  char name[64];
  assert_int_equal(places(file, "template.cc", 3, addrs, name), 3);
  assert_string_equal(name, "half<long>");
  lt_read_close(file);
}

static void test_inlined(void **state)
{
  for (int i = 0; i < 2; i++) {
    struct lt_read_file *file =
        build(state, i ? "gcc -g -O2 inlined.c" : "gcc -g -O0 -gdwarf-4 inlined.c");
    uint64_t addrs[16];
    char name[64];
    uint32_t count = places(file, "inlined.c", 4, addrs, name);
    assert_int_equal(count, 3);
    assert_string_equal(name, "inner");
    int nested = 0;
    for (uint32_t k = 0; k < count; k++) {
      struct lt_bytes answer = {0};
      assert_int_equal(ask_at(file, addrs[k], false, &answer), 0);
      struct lt_bytes_in in = {answer.at, answer.size, false};
      lt_get_string(&in), lt_get_u32(&in), lt_get_u32(&in), lt_get_string(&in);
      nested += lt_get_u32(&in) == 2;
      lt_bytes_free(&answer);
    }
    assert_int_equal(nested, 2);
    lt_read_close(file);
  }
}

/* Several units, one file name in two folders. */
static void test_ambiguous(void **state)
{
  uint64_t addrs[16];
  char name[64];
  put_file(*state, "other/plain.c", "void nothing(void)\n{\n\n}\n");
  put_file(*state, "x:1 y.c", "int odd(int n)\n{\n  return n;\n}\n");
  struct lt_read_file *file = build(state, "gcc -g -O0 other/plain.c 'a b/src/plain.c' 'x:1 y.c'");
  assert_int_equal(places(file, "plain.c", 4, addrs, name), 2);
  assert_int_equal(places(file, "other/plain.c", 4, addrs, name), 1);
  assert_string_equal(name, "nothing");
  assert_int_equal(places(file, "x:1 y.c", 3, addrs, name), 1);
  assert_string_equal(name, "odd");
  lt_read_close(file);
}

static void test_no_lines(void **state)
{
  struct lt_read_file *file = build(state, "gcc -O0 'a b/src/plain.c'");
  struct lt_bytes answer = {0};
  assert_int_equal(ask_places(file, "plain.c", 4, &answer), -ENOENT);
  assert_int_equal(ask_at(file, 0x1140, false, &answer), -ENOENT);
  lt_read_close(file);
}

static void test_paths(void **state)
{
  static const char *const cases[][2] = {
      {"/a/b/../c.c", "/a/c.c"}, {"/a//b/./c.c", "/a/b/c.c"}, {"../../x.c", "../../x.c"},
      {"a/../x.c", "x.c"},       {"/../x.c", "/x.c"},         {"", ""},
  };
  char path[LT_READ_PATH];
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    lt_read_path(cases[i][0], path);
    assert_string_equal(path, cases[i][1]);
  }
}

int main(void)
{
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_plain),    cmocka_unit_test(test_prologue),
      cmocka_unit_test(test_nearest),  cmocka_unit_test(test_template),
      cmocka_unit_test(test_inlined),  cmocka_unit_test(test_ambiguous),
      cmocka_unit_test(test_no_lines), cmocka_unit_test(test_paths),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
