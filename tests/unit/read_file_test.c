/* read_file_test.c - object files and what belongs to them: see read_file.c. */

#include "tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "read.h"

/* A folder of its own, with this program in it as "prog". */
static int set_up(void **state)
{
  char *folder = strdup("/tmp/luatrace-read-XXXXXX");
  char command[512];
  if (!folder || !mkdtemp(folder)) {
    free(folder);
    return -1;
  }
  snprintf(command, sizeof command, "cp /proc/%d/exe %s/prog", (int)getpid(), folder);
  *state = folder;
  return system(command); /* NOLINT(cert-env33-c): what the test says */
}

static int tear_down(void **state)
{
  char command[512];
  snprintf(command, sizeof command, "rm -rf %s", (char *)*state);
  free(*state);
  return system(command); /* NOLINT(cert-env33-c): what the test says */
}

/* Run a shell command in the folder; true if it succeeded. */
static bool run(void **state, const char *line)
{
  char command[1024];
  snprintf(command, sizeof command, "cd %s && { %s; } >log 2>&1", (char *)*state, line);
  return system(command) == 0; /* NOLINT(cert-env33-c): what the test says */
}

static int open_name(void **state, const char *name, int root, struct lt_read_file **ret)
{
  char path[512];
  snprintf(path, sizeof path, "%s/%s", (char *)*state, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  assert_true(fd >= 0);
  return lt_read_open(fd, root, root < 0 ? path : "/bin/prog", false, ret);
}

static bool has_dwarf(void **state, const char *name, int root)
{
  struct lt_read_file *file;
  Dwarf_Addr bias = 1;
  assert_int_equal(open_name(state, name, root, &file), 0);
  assert_non_null(file->elf);
  Dwarf *dwarf = lt_read_dwarf(file, &bias);
  if (dwarf)
    assert_int_equal(bias, 0);
  lt_read_close(file);
  return dwarf;
}

static void test_own(void **state)
{
  assert_true(has_dwarf(state, "prog", -1));
}

static void test_stripped(void **state)
{
  assert_true(run(state, "objcopy --strip-all prog bare"));
  assert_false(has_dwarf(state, "bare", -1));
}

static void test_link(void **state)
{
  assert_true(run(state, "objcopy --remove-section=.note.gnu.build-id prog no-id &&"
                         "objcopy --only-keep-debug no-id bare.debug &&"
                         "objcopy --strip-all --add-gnu-debuglink=bare.debug no-id bare"));
  assert_true(has_dwarf(state, "bare", -1));
  assert_true(run(state, "mkdir .debug && mv bare.debug .debug"));
  assert_true(has_dwarf(state, "bare", -1));
  /* Another file of that name is none of its. */
  assert_true(run(state, "printf x >>.debug/bare.debug"));
  assert_false(has_dwarf(state, "bare", -1));
}

/* The tracee's root counts before ours, and links in it lead to places below it. */
static void test_root(void **state)
{
  assert_true(run(state, "objcopy --only-keep-debug prog bare.debug &&"
                         "objcopy --strip-all --add-gnu-debuglink=bare.debug prog bare &&"
                         "mkdir -p root/usr/lib root/real/bin &&"
                         "ln -s /real root/usr/lib/debug && mv bare.debug root/real/bin"));
  char path[512];
  snprintf(path, sizeof path, "%s/root", (char *)*state);
  int root = open(path, O_PATH | O_CLOEXEC);
  assert_true(root >= 0);
  assert_true(has_dwarf(state, "bare", root));
  close(root);
  assert_false(has_dwarf(state, "bare", -1));
}

/* A debug file that is a pipe is not waited for. */
static void test_pipe(void **state)
{
  assert_true(run(state, "objcopy --only-keep-debug prog bare.debug &&"
                         "objcopy --strip-all --add-gnu-debuglink=bare.debug prog bare &&"
                         "rm bare.debug && mkfifo bare.debug"));
  assert_false(has_dwarf(state, "bare", -1));
}

static void refuse(void **state, const char *make)
{
  struct lt_read_file *file;
  assert_true(run(state, make));
  assert_int_equal(open_name(state, "bad", -1, &file), -ENOEXEC);
}

static void test_not_elf(void **state)
{
  refuse(state, ": >bad");
  refuse(state, "echo text >bad");
  refuse(state, "head -c 20 prog >bad");
  refuse(state, "cp prog bad && printf '\\377\\377' | dd of=bad bs=1 seek=16 conv=notrunc");
}

/* The header says that there is more than is left. */
static void test_truncated(void **state)
{
  static const char *const makes[] = {"head -c 64 prog >bad", "head -c 5000 prog >bad",
                                      "head -c 20000 prog >bad"};
  for (size_t i = 0; i < sizeof makes / sizeof *makes; i++) {
    struct lt_read_file *file;
    Dwarf_Addr bias;
    assert_true(run(state, makes[i]));
    if (open_name(state, "bad", -1, &file) == 0) {
      assert_null(lt_read_dwarf(file, &bias));
      lt_read_close(file);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_own, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_stripped, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_link, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_root, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_pipe, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_not_elf, set_up, tear_down),
      cmocka_unit_test_setup_teardown(test_truncated, set_up, tear_down),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
