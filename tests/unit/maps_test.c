/* maps_test.c - the memory map, with paths that a program may choose. */
#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct lt_map *map_at(const struct lt_map *maps, ssize_t count, const void *addr)
{
  for (ssize_t i = 0; i < count; i++)
    if (maps[i].from <= addr_of(addr) && addr_of(addr) < maps[i].to)
      return &maps[i];
  return NULL;
}

static void anonymous_memory_has_no_path(void **state)
{
  (void)state;
  struct layout layout = make_layout("wr x");
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  struct lt_map *maps;
  ssize_t count = lt_maps(&tracee->thread, &maps);
  static const struct {
    int page;
    const char *perms;
  } want[] = {{0, "rw-p"}, {1, "r--p"}, {3, "r-xp"}};
  for (int i = 0; i < 3; i++) {
    const struct lt_map *map = map_at(maps, count, layout.at + want[i].page * PAGE);
    assert_non_null(map);
    assert_int_equal(map->from, addr_of(layout.at) + (unsigned)want[i].page * PAGE);
    assert_int_equal(map->to - map->from, PAGE);
    assert_string_equal(map->perms, want[i].perms);
    assert_string_equal(map->path, "");
    assert_int_equal(map->inode, 0);
  }
  assert_null(map_at(maps, count, layout.at + 2 * PAGE));
  for (ssize_t i = 1; i < count; i++)
    assert_true(maps[i - 1].to <= maps[i].from);
  lt_maps_free(maps, (size_t)count);
  tracee_end(tracee);
  free_layout(&layout);
}

/* Map a file of this name in `dir` and see what becomes of it. */
static void check_path(const char *dir, const char *name, const char *shown, bool delete)
{
  char path[600], want[600];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  snprintf(want, sizeof want, "%s/%s%s", dir, shown, delete ? " (deleted)" : "");
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  assert_true(fd >= 0);
  assert_int_equal(ftruncate(fd, 4 * PAGE), 0);
  void *at = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
  struct stat about;
  assert_int_equal(fstat(fd, &about), 0);
  if (delete)
    unlink(path);
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  struct lt_map *maps;
  ssize_t count = lt_maps(&tracee->thread, &maps);
  const struct lt_map *map = map_at(maps, count, at);
  assert_non_null(map);
  assert_string_equal(map->path, want);
  assert_string_equal(map->perms, "r--s");
  assert_int_equal(map->offset, PAGE);
  assert_int_equal(map->inode, about.st_ino);
  assert_int_equal(map->dev_major, major(about.st_dev));
  assert_int_equal(map->dev_minor, minor(about.st_dev));
  lt_maps_free(maps, (size_t)count);
  tracee_end(tracee);
  unlink(path);
  munmap(at, 2 * PAGE);
  close(fd);
}

static void paths_are_as_the_kernel_wrote_them(void **state)
{
  (void)state;
  char dir[] = "/tmp/maps-test-XXXXXX", longest[256];
  assert_non_null(mkdtemp(dir));
  memset(longest, 'n', 255);
  longest[255] = '\0';
  check_path(dir, "plain", "plain", false);
  check_path(dir, "plain", "plain", true);
  check_path(dir, " two  words ", " two  words ", false);
  check_path(dir, "a\nb", "a\\012b", false);
  check_path(dir, "\n1-2 rwxp 0 0:0 0 fake\n", "\\0121-2 rwxp 0 0:0 0 fake\\012", false);
  check_path(dir, "x (deleted)", "x (deleted)", false);
  check_path(dir, "\001\033[31m\377", "\001\033[31m\377", false);
  check_path(dir, longest, longest, true);
  rmdir(dir);
}

static void map_many(void *data)
{
  int count = *(int *)data;
  for (int i = 0; i < count; i++) /* alternating, so that neighbours do not merge */
    if (mmap(NULL, PAGE, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
        MAP_FAILED)
      _exit(97);
  raise(SIGTRAP);
}

static void many_mappings_are_all_there(void **state)
{
  (void)state;
  int wanted = 5000;
  struct tracee *tracee = tracee_start(map_many, &wanted);
  struct lt_map *maps;
  ssize_t before = lt_maps(&tracee->thread, &maps);
  lt_maps_free(maps, (size_t)before);
  tracee_run_to_trap(tracee);
  ssize_t after = lt_maps(&tracee->thread, &maps);
  assert_in_range(after - before, wanted - 2, wanted + 2);
  lt_maps_free(maps, (size_t)after);
  tracee_end(tracee);
}

static void hc8_the_map_of_a_dead_thread_is_gone(void **state)
{
  (void)state;
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  struct lt_map *maps;
  kill(tracee->process.pid, SIGKILL);
  siginfo_t info;
  waitid(P_PID, (id_t)tracee->process.pid, &info, WEXITED | WNOWAIT);
  ssize_t count = lt_maps(&tracee->thread, &maps);
  assert_true(count == 0 || count == -ESRCH);
  assert_null(maps);
  lt_maps_free(maps, 0);
  tracee->thread.state = LT_ST_STOPPED;
  tracee_end(tracee);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(anonymous_memory_has_no_path),
      cmocka_unit_test(paths_are_as_the_kernel_wrote_them),
      cmocka_unit_test(many_mappings_are_all_there),
      cmocka_unit_test(hc8_the_map_of_a_dead_thread_is_gone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
