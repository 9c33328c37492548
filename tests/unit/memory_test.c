/* memory_test.c - reading and writing tracee memory: exact to the byte at every hole. */
#include "layout.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What an access of this range must return. */
static ssize_t expected(const struct layout *layout, size_t at, size_t size)
{
  size_t some = layout_reachable(layout, at, size);
  return some || !size ? (ssize_t)some : -EFAULT;
}

static void check_read(struct tracee *tracee, const struct layout *layout, size_t at, size_t size)
{
  uint8_t *bytes = malloc(size + 1);
  bytes[size] = 0x5a;
  ssize_t got = lt_mem_read(&tracee->thread, addr_of(layout->at + at), bytes, size);
  if (got != expected(layout, at, size))
    fail_msg("read of %zu at %zu: %zd", size, at, got);
  if (got > 0)
    assert_memory_equal(bytes, layout->model + at, (size_t)got);
  assert_int_equal(bytes[size], 0x5a);
  free(bytes);
}

static void check_write(struct tracee *tracee, struct layout *layout, size_t at, size_t size,
                        uint32_t seed)
{
  uint8_t *bytes = calloc(1, size + 1);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)(tracee_random(&seed) | 1);
  ssize_t got = lt_mem_write(&tracee->thread, addr_of(layout->at + at), bytes, size);
  if (got != expected(layout, at, size))
    fail_msg("write of %zu at %zu: %zd", size, at, got);
  if (got > 0)
    memcpy(layout->model + at, bytes, (size_t)got);
  free(bytes);
}

/* The whole layout, page by page, by the quickest way that reaches each. */
static void check_all(struct tracee *tracee, const struct layout *layout)
{
  for (size_t i = 0; i < layout->pages; i++)
    check_read(tracee, layout, i * PAGE, PAGE);
}

static void hc70_partial_reads_are_exact(void **state)
{
  (void)state;
  struct layout layout = make_layout("ww ww  w r");
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  for (size_t before = 0; before < 20; before++)
    for (size_t size = 0; size < 40; size++)
      for (size_t page = 0; page < layout.pages; page++) {
        size_t at = page * PAGE >= before ? page * PAGE - before : 0;
        if (at + size <= layout.pages * PAGE)
          check_read(tracee, &layout, at, size);
      }
  check_read(tracee, &layout, 0, layout.pages * PAGE);
  check_read(tracee, &layout, 1, 2 * PAGE);
  tracee_end(tracee);
  free_layout(&layout);
}

static void hc70_strings_stop_at_holes(void **state)
{
  (void)state;
  struct layout layout = make_layout("ww ");
  memcpy(layout.at + 2 * PAGE - 5, "abcd", 5);
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  lt_thread *thread = &tracee->thread;
  uint64_t end = addr_of(layout.at) + 2 * PAGE;
  char text[3 * PAGE];
  bool whole;
  assert_int_equal(lt_mem_string(thread, end - 5, text, 100, &whole), 4);
  assert_true(whole);
  assert_string_equal(text, "abcd");
  assert_int_equal(lt_mem_string(thread, end - 5, text, 4, &whole), 4);
  assert_true(whole);
  assert_int_equal(lt_mem_string(thread, end - 5, text, 3, &whole), 3);
  assert_false(whole);
  assert_string_equal(text, "abc");
  assert_int_equal(lt_mem_string(thread, end - 1, text, 0, &whole), 0);
  assert_true(whole);
  assert_int_equal(lt_mem_string(thread, end - 2, text, 0, &whole), 0);
  assert_false(whole);
  assert_int_equal(lt_mem_write(thread, end - 1, "!", 1), 1);
  assert_int_equal(lt_mem_string(thread, end - 5, text, 100, &whole), 5);
  assert_false(whole);
  assert_string_equal(text, "abcd!");
  size_t far = PAGE + 3; /* over the border of two pages */
  assert_int_equal(lt_mem_string(thread, end - far, text, sizeof text - 1, &whole), far);
  assert_false(whole);
  assert_int_equal(strlen(text), far);
  assert_int_equal(lt_mem_string(thread, end, text, 10, &whole), -EFAULT);
  assert_int_equal(text[0], 0);
  tracee_end(tracee);
  free_layout(&layout);
}

static void hc71_protected_memory_is_read(void **state)
{
  (void)state;
  struct layout layout = make_layout("wnewxn ew");
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  check_all(tracee, &layout);
  check_read(tracee, &layout, 3, 7 * PAGE);
  check_read(tracee, &layout, PAGE - 1, 2);
  check_read(tracee, &layout, PAGE + 7, 3 * PAGE);
  char text[2 * PAGE];
  bool whole;
  uint64_t hole = addr_of(layout.at) + 6 * PAGE;
  assert_int_equal(lt_mem_string(&tracee->thread, hole - 20, text, 100, &whole), 20);
  tracee_end(tracee);
  free_layout(&layout);
}

static void hc71_some_memory_cannot_be_read(void **state)
{
  (void)state;
  int fd = memfd_create("short", MFD_CLOEXEC);
  assert_int_equal(write(fd, "x", 1), 1);
  uint8_t *at = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  uint8_t bytes[2 * PAGE];
  assert_int_equal(lt_mem_read(&tracee->thread, addr_of(at), bytes, 2 * PAGE), PAGE);
  assert_int_equal(lt_mem_read(&tracee->thread, addr_of(at) + PAGE, bytes, 1), -EFAULT);
  assert_non_null(strstr(lt_error(&tracee->session), "Bad address"));
  assert_int_equal(lt_mem_write(&tracee->thread, addr_of(at) + PAGE, bytes, 1), -EFAULT);
  tracee_end(tracee);
  munmap(at, 2 * PAGE);
  close(fd);
}

static void hc72_writes_are_exact_everywhere(void **state)
{
  (void)state;
  struct layout layout = make_layout("wrxe nw");
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  uint32_t seed = 1;
  for (size_t page = 0; page < layout.pages; page++)
    for (size_t offset = 0; offset < 9; offset++)
      for (size_t size = 0; size < 18; size++)
        check_write(tracee, &layout, page * PAGE + offset * (offset < 8 ? 1 : 505), size, ++seed);
  check_write(tracee, &layout, 5, 6 * PAGE, ++seed);
  check_all(tracee, &layout);
  tracee_end(tracee);
  free_layout(&layout);
}

/* Without a process there is no mem file: the way of a kernel that refuses it. */
static void hc72_words_do_when_the_file_is_refused(void **state)
{
  (void)state;
  struct layout layout = make_layout("wrn xw");
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  tracee->thread.process = NULL;
  uint32_t seed = 1;
  for (size_t page = 0; page < layout.pages; page++)
    for (size_t offset = 0; offset < 9; offset++)
      for (size_t size = 0; size < 25; size++)
        check_write(tracee, &layout, (page + 1) * PAGE - 25 + offset, size > 16 ? 16 : size,
                    ++seed);
  check_write(tracee, &layout, 5, 6 * PAGE - 5, ++seed);
  check_write(tracee, &layout, 4 * PAGE - 3, PAGE, ++seed);
  check_all(tracee, &layout);
  check_read(tracee, &layout, 1, 6 * PAGE - 1);
  tracee->thread.process = &tracee->process;
  tracee_end(tracee);
  free_layout(&layout);
}

static void hc74_random_ranges_do_as_the_model_says(void **state)
{
  (void)state;
  struct layout layout = make_layout("wwrwnxw  ewwn w rrnnw");
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  uint32_t seed = 74;
  for (int i = 0; i < 4000; i++) {
    size_t at = tracee_random(&seed) % (layout.pages * PAGE);
    size_t most = tracee_random(&seed) % 4 ? 64 : layout.pages * PAGE;
    if (tracee_random(&seed) % 2)
      at = (at / PAGE + 1) * PAGE - tracee_random(&seed) % 64 % PAGE;
    if (at >= layout.pages * PAGE)
      continue;
    size_t size = tracee_random(&seed) % most;
    if (size > layout.pages * PAGE - at)
      size = layout.pages * PAGE - at;
    if (tracee_random(&seed) % 2)
      check_read(tracee, &layout, at, size);
    else
      check_write(tracee, &layout, at, size, tracee_random(&seed));
  }
  check_all(tracee, &layout);
  tracee_end(tracee);
  free_layout(&layout);
}

static void hc74_absurd_ranges_are_refused(void **state)
{
  (void)state;
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  lt_thread *thread = &tracee->thread;
  static const uint64_t nowhere[] = {0,
                                     1,
                                     4095,
                                     0x7ffffffffffff000,
                                     0x8000000000000000,
                                     0xffff888000000000,
                                     0xffffffffffffffff,
                                     0xfffffffffffff000};
  char bytes[64] = {0};
  bool whole;
  for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
    assert_int_equal(lt_mem_read(thread, nowhere[i], bytes, sizeof bytes), -EFAULT);
    assert_int_equal(lt_mem_write(thread, nowhere[i], bytes, sizeof bytes), -EFAULT);
    assert_int_equal(lt_mem_string(thread, nowhere[i], bytes, sizeof bytes - 1, &whole), -EFAULT);
  }
  uint64_t here = addr_of(&nowhere);
  assert_int_equal(lt_mem_read(thread, here, bytes, LT_MEM_MAX + 1), -E2BIG);
  assert_int_equal(lt_mem_read(thread, here, bytes, SIZE_MAX), -E2BIG);
  assert_int_equal(lt_mem_write(thread, here, bytes, (size_t)-1), -E2BIG);
  assert_int_equal(lt_mem_string(thread, here, bytes, SIZE_MAX, &whole), -E2BIG);
  assert_int_equal(lt_mem_read(thread, here, bytes, 0), 0);
  assert_int_equal(lt_mem_read(thread, 0, bytes, 0), 0);
  tracee_end(tracee);
}

static void exec_true(void *data)
{
  (void)data;
  execl("/bin/true", "true", (char *)NULL);
  _exit(98);
}

static void hc73_a_descriptor_from_before_exec_is_replaced(void **state)
{
  (void)state;
  struct layout layout = make_layout("n");
  struct tracee *tracee = tracee_start(exec_true, NULL);
  check_all(tracee, &layout);
  assert_true(tracee->process.mem_fd >= 0);
  tracee_run_to_trap(tracee); /* of the exec */
  uint8_t code[8];
  uint64_t pc;
  assert_int_equal(lt_thread_pc(&tracee->thread, &pc), 0);
  assert_int_equal(lt_mem_read(&tracee->thread, pc, code, 8), 8);
  assert_int_equal(lt_mem_write(&tracee->thread, pc, code, 8), 8); /* text: by the file */
  assert_int_equal(lt_mem_read(&tracee->thread, addr_of(layout.at), code, 1), -EFAULT);
  lt_mem_forget(&tracee->process);
  assert_int_equal(tracee->process.mem_fd, -1);
  assert_int_equal(lt_mem_write(&tracee->thread, pc, code, 8), 8);
  tracee_run_to_exit(tracee, 0);
  tracee_end(tracee);
  free_layout(&layout);
}

static void hc73_a_dead_thread_is_gone(void **state)
{
  (void)state;
  struct layout layout = make_layout("wn");
  for (int reap = 0; reap < 2; reap++) {
    struct tracee *tracee = tracee_start(tracee_idle, NULL);
    check_all(tracee, &layout);
    kill(tracee->process.pid, SIGKILL);
    siginfo_t info;
    waitid(P_PID, (id_t)tracee->process.pid, &info, WEXITED | (reap ? 0 : WNOWAIT));
    for (size_t i = 0; i < layout.pages; i++) {
      char byte;
      tracee->thread.state = LT_ST_STOPPED;
      uint64_t addr = addr_of(layout.at + i * PAGE);
      assert_int_equal(lt_mem_read(&tracee->thread, addr, &byte, 1), -ESRCH);
      assert_int_equal(tracee->thread.state, LT_ST_DYING);
      tracee->thread.state = LT_ST_STOPPED;
      assert_int_equal(lt_mem_write(&tracee->thread, addr, &byte, 1), -ESRCH);
      assert_int_equal(tracee->thread.state, LT_ST_DYING);
      assert_int_equal(lt_mem_read(&tracee->thread, addr, &byte, 1), -ESRCH);
    }
    tracee_end(tracee);
  }
  free_layout(&layout);
}

static void *sleep_for_ever(void *tid)
{
  __atomic_store_n((pid_t *)tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
  for (;;)
    pause();
  return NULL;
}

/* The leader ends and leaves a thread behind, whose tid it puts where `data` points. */
static void leave_a_thread(pid_t *tid)
{
  pthread_t thread;
  pthread_create(&thread, NULL, sleep_for_ever, tid);
  while (!__atomic_load_n(tid, __ATOMIC_SEQ_CST))
    usleep(1000);
  syscall(SYS_exit, 0);
}

static bool is_zombie(pid_t pid)
{
  char path[40], line[256] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(path, "r");
  bool zombie = file && fgets(line, sizeof line, file) && strstr(line, ") Z");
  if (file)
    fclose(file);
  return zombie;
}

static void hc5_memory_is_reached_through_a_live_thread(void **state)
{
  (void)state;
  struct layout layout = make_layout("wn r");
  pid_t *tid = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pid = fork();
  if (pid == 0)
    leave_a_thread(tid);
  for (int i = 0; i < 2000 && !is_zombie(pid); i++)
    usleep(1000);
  struct tracee *tracee = tracee_seize(pid, *tid);
  check_all(tracee, &layout);
  check_write(tracee, &layout, 3 * PAGE + 1, 100, 1);
  check_all(tracee, &layout);
  struct lt_map *maps;
  ssize_t count = lt_maps(&tracee->thread, &maps);
  assert_true(count > 5);
  lt_maps_free(maps, (size_t)count);
  tracee_end(tracee);
  munmap(tid, PAGE);
  free_layout(&layout);
}

static void access_needs_a_stopped_thread(void **state)
{
  (void)state;
  struct tracee *tracee = tracee_start(tracee_idle, NULL);
  lt_thread *thread = &tracee->thread;
  char bytes[8];
  bool whole;
  struct lt_map *maps;
  uint64_t found;
  thread->state = LT_ST_RUNNING;
  assert_int_equal(lt_mem_read(thread, addr_of(bytes), bytes, 8), -EBUSY);
  assert_non_null(strstr(lt_error(&tracee->session), "is running"));
  assert_int_equal(lt_mem_write(thread, addr_of(bytes), bytes, 8), -EBUSY);
  assert_int_equal(lt_mem_string(thread, addr_of(bytes), bytes, 7, &whole), -EBUSY);
  assert_int_equal(lt_maps(thread, &maps), -EBUSY);
  assert_int_equal(lt_mem_search(thread, 0, UINT64_MAX, "x", 1, &found), -EBUSY);
  thread->state = LT_ST_STOPPED;
  tracee_end(tracee);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hc70_partial_reads_are_exact),
      cmocka_unit_test(hc70_strings_stop_at_holes),
      cmocka_unit_test(hc71_protected_memory_is_read),
      cmocka_unit_test(hc71_some_memory_cannot_be_read),
      cmocka_unit_test(hc72_writes_are_exact_everywhere),
      cmocka_unit_test(hc72_words_do_when_the_file_is_refused),
      cmocka_unit_test(hc73_a_descriptor_from_before_exec_is_replaced),
      cmocka_unit_test(hc73_a_dead_thread_is_gone),
      cmocka_unit_test(hc74_random_ranges_do_as_the_model_says),
      cmocka_unit_test(hc74_absurd_ranges_are_refused),
      cmocka_unit_test(hc5_memory_is_reached_through_a_live_thread),
      cmocka_unit_test(access_needs_a_stopped_thread),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
