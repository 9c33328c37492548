/* names_test.c - names and texts of errors and signals, and sets of flags. */

#include "tracee.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <string.h>

#include "flags.h"
#include "luatrace.h"

/* ---- Errors ------------------------------------------------------------------------------- */

static void test_error_texts(void **state)
{
  (void)state;
  setlocale(LC_ALL, "C");
  for (int error = 1; error < 134; error++) {
    const char *name = lt_errno_name(error);
    if (name) {
      assert_string_equal(lt_errno_text(error), strerror(error));
      assert_int_equal(lt_errno_number(name), error);
    } else {
      assert_string_equal(lt_errno_text(error), "Unknown error");
    }
  }
}

static void test_error_names(void **state)
{
  (void)state;
  assert_string_equal(lt_errno_name(ENOENT), "ENOENT");
  assert_string_equal(lt_errno_name(EAGAIN), "EAGAIN");
  assert_string_equal(lt_errno_name(512), "ERESTARTSYS");
  assert_string_equal(lt_errno_name(516), "ERESTART_RESTARTBLOCK");
  assert_string_equal(lt_errno_text(512), "To be restarted if SA_RESTART is set");
  assert_null(lt_errno_name(0));
  assert_null(lt_errno_name(-2));
  assert_null(lt_errno_name(41));
  assert_null(lt_errno_name(511));
  assert_null(lt_errno_name(517));
  assert_int_equal(lt_errno_number("ENOENT"), ENOENT);
  assert_int_equal(lt_errno_number("EWOULDBLOCK"), EWOULDBLOCK);
  assert_int_equal(lt_errno_number("ENOTSUP"), ENOTSUP);
  assert_int_equal(lt_errno_number("ERESTARTNOHAND"), 514);
  assert_int_equal(lt_errno_number("EWHATEVER"), 0);
}

/* ---- Signals ------------------------------------------------------------------------------ */

static void test_signal_names(void **state)
{
  (void)state;
  for (int signo = 1; signo <= 64; signo++) {
    assert_non_null(lt_signal_name(signo));
    assert_int_equal(lt_signal_number(lt_signal_name(signo)), signo);
    assert_int_equal(lt_signal_number(lt_signal_name(signo) + 3), signo);
  }
  for (int signo = 1; signo < 32; signo++) {
    if (signo != SIGIO) { /* the C library says POLL */
      assert_string_equal(lt_signal_name(signo) + 3, sigabbrev_np(signo));
    }
  }
  assert_string_equal(lt_signal_name(32), "SIGRTMIN");
  assert_string_equal(lt_signal_name(33), "SIGRT_1");
  assert_string_equal(lt_signal_name(64), "SIGRT_32");
  assert_null(lt_signal_name(0));
  assert_null(lt_signal_name(65));
  assert_null(lt_signal_name(-1));
}

static void test_signal_numbers(void **state)
{
  (void)state;
  assert_int_equal(lt_signal_number("SIGUSR1"), SIGUSR1);
  assert_int_equal(lt_signal_number("INT"), SIGINT);
  assert_int_equal(lt_signal_number("SIGPOLL"), SIGIO);
  assert_int_equal(lt_signal_number("SIGRTMIN+3"), 35);
  assert_int_equal(lt_signal_number("RTMAX-1"), 63);
  assert_int_equal(lt_signal_number("SIGRTMIN+33"), 0);
  assert_int_equal(lt_signal_number("SIGRTMIN+"), 0);
  assert_int_equal(lt_signal_number("SIGRTMIN+1x"), 0);
  assert_int_equal(lt_signal_number("SIGNOTHING"), 0);
  assert_int_equal(lt_signal_number(""), 0);
}

/* ---- Flags -------------------------------------------------------------------------------- */

static const char *shown(const char *set, uint64_t value)
{
  static char bytes[512];
  struct lt_text text = {.bytes = bytes, .size = sizeof bytes};
  lt_flags_add(&text, set, value);
  lt_text_end(&text);
  return bytes;
}

static void test_flags(void **state)
{
  (void)state;
  assert_string_equal(shown("prot", 0), "PROT_NONE");
  assert_string_equal(shown("prot", 5), "PROT_READ|PROT_EXEC");
  assert_string_equal(shown("prot", 0x11), "PROT_READ|0x10");
  assert_string_equal(shown("prot", 0x10), "0x10 /* PROT_??? */");
  assert_string_equal(shown("xattr", 0), "0");
  assert_string_equal(shown("open_bits", 0x101000), "O_SYNC");
  assert_string_equal(shown("open_bits", 0x1000), "O_DSYNC");
  assert_string_equal(shown("open_bits", 0x410000), "O_TMPFILE");
  assert_string_equal(shown("whence", 2), "SEEK_END");
  assert_string_equal(shown("whence", 77), "0x4d /* SEEK_??? */");
  assert_string_equal(shown("no such set", 77), "0x4d");
}

static void check_family(const struct lt_flags *sets, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    if (i > 0 && strcmp(sets[i - 1].name, sets[i].name) >= 0) {
      fail_msg("%s must not stand behind %s", sets[i].name, sets[i - 1].name);
    }
    assert_ptr_equal(lt_flags_find(sets[i].name), &sets[i]);
    for (size_t j = 0; j < sets[i].count; j++) {
      assert_non_null(sets[i].rows[j].name);
    }
  }
}

static void test_families(void **state)
{
  (void)state;
  check_family(lt_flags_fs, lt_flags_fs_count);
  check_family(lt_flags_ioctl, lt_flags_ioctl_count);
  check_family(lt_flags_memory, lt_flags_memory_count);
  check_family(lt_flags_mount, lt_flags_mount_count);
  check_family(lt_flags_network, lt_flags_network_count);
  check_family(lt_flags_process, lt_flags_process_count);
  check_family(lt_flags_signal, lt_flags_signal_count);
  check_family(lt_flags_sockopt, lt_flags_sockopt_count);
  check_family(lt_flags_system, lt_flags_system_count);
}

/* ---- Text --------------------------------------------------------------------------------- */

static void test_text_is_bounded(void **state)
{
  (void)state;
  char bytes[8] = "xxxxxxx";
  struct lt_text text = {.bytes = bytes, .size = 4};
  lt_text_put(&text, "ab");
  lt_text_add(&text, "%d", 12345);
  lt_text_end(&text);
  assert_int_equal(text.length, 7);
  assert_string_equal(bytes, "ab1");
  assert_int_equal(bytes[4], 'x');
  lt_text_cut(&text, 1);
  lt_text_put(&text, "z");
  lt_text_end(&text);
  assert_string_equal(bytes, "az");
  struct lt_text nowhere = {0};
  lt_text_put(&nowhere, "counted");
  lt_text_end(&nowhere);
  assert_int_equal(nowhere.length, 7);
}

static const char *quoted(const void *bytes, size_t size)
{
  static char result[128];
  struct lt_text text = {.bytes = result, .size = sizeof result};
  lt_text_quote(&text, bytes, size, LT_QUOTE);
  lt_text_end(&text);
  return result;
}

static void test_quotes(void **state)
{
  (void)state;
  assert_string_equal(quoted("a\"b\\c\n\t", 7), "\"a\\\"b\\\\c\\n\\t\"");
  assert_string_equal(quoted("\0"
                             "1\0x\33",
                             5),
                      "\"\\0001\\0x\\33\"");
  assert_string_equal(quoted("\xff\x7f", 2), "\"\\377\\177\"");
  assert_string_equal(quoted("", 0), "\"\"");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_error_texts),     cmocka_unit_test(test_error_names),
      cmocka_unit_test(test_signal_names),    cmocka_unit_test(test_signal_numbers),
      cmocka_unit_test(test_flags),           cmocka_unit_test(test_families),
      cmocka_unit_test(test_text_is_bounded), cmocka_unit_test(test_quotes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
