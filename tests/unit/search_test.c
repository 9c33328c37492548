/* search_test.c - finding bytes in tracee memory. */
#include "layout.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK ((size_t)256 << 10) /* how much is read at once, see search.c */

static int search(struct tracee *tracee, const void *from, const void *to, const void *bytes,
                  size_t size, uint64_t *ret)
{
  *ret = 0;
  return lt_mem_search(&tracee->thread, addr_of(from), addr_of(to), bytes, size, ret);
}

static void expect_at(struct tracee *tracee, const uint8_t *from, size_t range, const void *bytes,
                      size_t size, const uint8_t *at)
{
  uint64_t found;
  assert_int_equal(search(tracee, from, from + range, bytes, size, &found), 1);
  assert_int_equal(found, addr_of(at));
}

static void expect_none(struct tracee *tracee, const uint8_t *from, size_t range, const void *bytes,
                        size_t size)
{
  uint64_t found;
  assert_int_equal(search(tracee, from, from + range, bytes, size, &found), 0);
}

static uint8_t *map(size_t size)
{
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  uint8_t *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
  assert_true(at != MAP_FAILED);
  return at;
}

static void matches_straddle_chunks(void **state)
{
  (void)state;
  const size_t size = 3 * CHUNK;
  static const char what[] = "straddle";
  uint8_t *at = map(size);
  memset(at, 's', size);
  for (size_t before = 0; before <= sizeof what; before++) {
    uint8_t *here = at + CHUNK - before;
    memcpy(here, what, sizeof what);
    struct tracee *tracee = tracee_start(tracee_idle, NULL);
    expect_at(tracee, at, size, what, sizeof what, here);
    expect_at(tracee, at + 5, size - 5, what, sizeof what, here);
    expect_none(tracee, at, (size_t)(here - at) + sizeof what - 1, what, sizeof what);
    expect_none(tracee, here + 1, 2 * CHUNK - 1, what, sizeof what);
    tracee_end(tracee);
    memset(here, 's', sizeof what);
  }
  munmap(at, size);
}

static void the_range_is_exact(void **state)
{
  (void)state;
  uint8_t *at = map(PAGE);
  memcpy(at + 100, "needle", 7);
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  expect_at(tracee, at + 100, 6, "needle", 6, at + 100);
  expect_at(tracee, at, PAGE, "n", 1, at + 100);
  expect_none(tracee, at + 100, 5, "needle", 6);
  expect_none(tracee, at + 101, 5, "needle", 6);
  expect_none(tracee, at + 100, 0, "n", 1);
  uint64_t found;
  assert_int_equal(search(tracee, at + 200, at, "n", 1, &found), 0);
  assert_int_equal(search(tracee, at, at + PAGE, "n", 0, &found), -EINVAL);
  assert_int_equal(search(tracee, at, at + PAGE, "n", LT_MEM_MAX + 1, &found), -E2BIG);
  tracee_end(tracee);
  munmap(at, PAGE);
}

static void hc71_what_cannot_be_read_is_skipped(void **state)
{
  (void)state;
  struct layout layout = make_layout("w wnw r");
  memcpy(layout.at + 2 * PAGE - 3 + PAGE, "xyz", 3); /* the end of page 2 */
  memset(layout.at + 4 * PAGE, 'q', 10);
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  size_t all = layout.pages * PAGE;
  expect_at(tracee, layout.at, all, "xyz", 3, layout.at + 3 * PAGE - 3);
  expect_none(tracee, layout.at, all, "xyzq", 4); /* nothing joins over a hole */
  expect_at(tracee, layout.at, all, "qqqqqqqqqq", 10, layout.at + 4 * PAGE);
  expect_at(tracee, layout.at, all, layout.model + 6 * PAGE, 64, layout.at + 6 * PAGE);
  expect_none(tracee, layout.at, all, layout.model + 3 * PAGE, 64); /* PROT_NONE */
  tracee_end(tracee);
  free_layout(&layout);
}

static void matches_straddle_mappings(void **state)
{
  (void)state;
  struct layout layout = make_layout("wrxw");
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  for (size_t page = 1; page < layout.pages; page++) {
    size_t at = page * PAGE - 20;
    expect_at(tracee, layout.at, layout.pages * PAGE, layout.model + at, 50, layout.at + at);
  }
  size_t at = PAGE - 5, size = 2 * PAGE + 10;
  expect_at(tracee, layout.at, layout.pages * PAGE, layout.model + at, size, layout.at + at);
  tracee_end(tracee);
  free_layout(&layout);
}

/* A page of a file that is mapped beyond the file's end. */
static void hc71_the_end_of_a_file_is_a_hole(void **state)
{
  (void)state;
  int fd = memfd_create("short", MFD_CLOEXEC);
  assert_int_equal(pwrite(fd, "end", 3, PAGE - 3), 3);
  uint8_t *at = mmap(NULL, 100 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  expect_at(tracee, at, 100 * PAGE, "end", 3, at + PAGE - 3);
  expect_none(tracee, at, 100 * PAGE, "ends", 4);
  tracee_end(tracee);
  munmap(at, 100 * PAGE);
  close(fd);
}

static long page_tables(struct tracee *tracee)
{
  char path[40], line[128];
  long kilobytes = -1;
  snprintf(path, sizeof path, "/proc/%d/status", (int)tracee->process.pid);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file))
    sscanf(line, "VmPTE: %ld", &kilobytes);
  fclose(file);
  return kilobytes;
}

static void untouched_terabytes_cost_nothing(void **state)
{
  (void)state;
  const size_t size = (size_t)1 << 40;
  static const char what[] = "\0\0\0far away\0\0";
  uint8_t *at = map(size);
  uint8_t *here = at + size / 2 + 12345 * PAGE - 3; /* begins on a page never touched */
  memcpy(here + 3, what + 3, 8);
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  long before = page_tables(tracee);
  expect_at(tracee, at, size, what, sizeof what - 1, here);
  expect_none(tracee, at, size, "nowhere", 7);
  assert_true(page_tables(tracee) - before < 200);
  tracee_end(tracee);
  munmap(at, size);
}

static void matches_reach_into_untouched_pages(void **state)
{
  (void)state;
  const size_t size = 64 * CHUNK;
  uint8_t *at = map(size), zeros[3 * PAGE] = {0};
  static const size_t places[] = {0, CHUNK, 7 * CHUNK, 20 * CHUNK + 5 * PAGE, 63 * CHUNK};
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  expect_at(tracee, at, size, zeros, sizeof zeros, at);
  expect_at(tracee, at + 5, size - 5, zeros, 1, at + 5);
  tracee_end(tracee);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    uint8_t what[2 * PAGE + 1] = {0};
    uint8_t *middle = at + places[i] + PAGE;
    *middle = what[PAGE] = (uint8_t)(i + 1);
    tracee = tracee_start(tracee_idle, NULL);
    expect_at(tracee, at, size, what, sizeof what, middle - PAGE);
    tracee_end(tracee);
  }
  munmap(at, size);
}

/* The end of memory that was never touched, and the beginning of what comes behind it. */
static void matches_begin_in_an_untouched_neighbour(void **state)
{
  (void)state;
  const size_t size = 10 * CHUNK;
  uint8_t *at = map(size);
  memcpy(at + size - PAGE, "tail", 5);
  assert_int_equal(mprotect(at + size - PAGE, PAGE, PROT_READ), 0);
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  expect_at(tracee, at, size, "\0\0tail", 6, at + size - PAGE - 2);
  tracee_end(tracee);
  munmap(at, size);
}

static void random_searches_do_as_memmem(void **state)
{
  (void)state;
  const size_t size = 2 * CHUNK + 3 * PAGE;
  uint8_t *at = map(size);
  uint32_t seed = 5;
  for (size_t i = 0; i < size; i++)
    at[i] = (uint8_t)(tracee_random(&seed) % 3); /* many near misses */
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  for (int i = 0; i < 300; i++) {
    size_t from = tracee_random(&seed) % size, to = tracee_random(&seed) % size;
    size_t length = 1 + tracee_random(&seed) % 20, source = tracee_random(&seed) % (size - 20);
    const uint8_t *want = to > from ? memmem(at + from, to - from, at + source, length) : NULL;
    if (want)
      expect_at(tracee, at + from, to - from, at + source, length, want);
    else
      expect_none(tracee, at + from, to > from ? to - from : 0, at + source, length);
  }
  tracee_end(tracee);
  munmap(at, size);
}

static void the_whole_address_space_can_be_searched(void **state)
{
  (void)state;
#ifdef __SANITIZE_ADDRESS__
  skip(); /* 14 terabytes of untouched shadow memory: half a minute */
#endif
  uint8_t *at = map(PAGE), what[16], there[16];
  uint32_t seed = 99;
  for (size_t i = 0; i < sizeof what; i++)
    at[77 + i] = (uint8_t)tracee_random(&seed);
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  memcpy(what, at + 77, sizeof what);
  uint64_t found = 0;
  assert_int_equal(lt_mem_search(&tracee->thread, 0, UINT64_MAX, what, sizeof what, &found), 1);
  assert_int_equal(lt_mem_read(&tracee->thread, found, there, sizeof there), sizeof there);
  assert_memory_equal(there, what, sizeof what);
  for (size_t i = 0; i < sizeof what; i++) /* after the fork: the child does not have these */
    what[i] = (uint8_t)tracee_random(&seed);
  assert_int_equal(lt_mem_search(&tracee->thread, 0, UINT64_MAX, what, sizeof what, &found), 0);
  tracee_end(tracee);
  munmap(at, PAGE);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matches_straddle_chunks),
      cmocka_unit_test(the_range_is_exact),
      cmocka_unit_test(hc71_what_cannot_be_read_is_skipped),
      cmocka_unit_test(matches_straddle_mappings),
      cmocka_unit_test(hc71_the_end_of_a_file_is_a_hole),
      cmocka_unit_test(untouched_terabytes_cost_nothing),
      cmocka_unit_test(matches_reach_into_untouched_pages),
      cmocka_unit_test(matches_begin_in_an_untouched_neighbour),
      cmocka_unit_test(random_searches_do_as_memmem),
      cmocka_unit_test(the_whole_address_space_can_be_searched),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
