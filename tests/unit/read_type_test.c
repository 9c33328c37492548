/* read_type_test.c - what the reader says about types and variables of a fixture, and of copies of it
 * whose debug information is damaged. */
#include "tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "luatrace.h"
#include "read.h"
#include "read_variables.h"

#define ROUNDS 2000 /* damaged copies */
#define BATCH 100   /* of them in one process */
#define SECONDS 60  /* that one process may take */

static int open_fixture(const char *name)
{
  const char *build = getenv("LUATRACE_BUILD");
  char path[1024];
  snprintf(path, sizeof path, "%s/tests/fixtures/%s", build ? build : "build", name);
  return open(path, O_RDONLY | O_CLOEXEC);
}

static struct lt_read_file *open_file(const char *name)
{
  struct lt_read_file *file;
  int fd = open_fixture(name);
  if (fd < 0)
    skip();
  assert_int_equal(lt_read_open(fd, -1, name, false, &file), 0);
  return file;
}

static int ask(struct lt_read_file *file, lt_read_fn *function, const struct lt_bytes *question,
               struct lt_bytes *ret)
{
  struct lt_bytes_in in = {.at = question->at, .size = question->size};
  *ret = (struct lt_bytes){0};
  return function(file, &in, ret);
}

static int ask_type(struct lt_read_file *file, const char *name, struct lt_bytes *ret)
{
  struct lt_bytes question = {0};
  lt_put_u8(&question, LT_TYPE_BY_NAME);
  lt_put_string(&question, name);
  int error = ask(file, lt_read_type, &question, ret);
  lt_bytes_free(&question);
  return error;
}

static int ask_ref(struct lt_read_file *file, uint64_t ref, struct lt_bytes *ret)
{
  struct lt_bytes question = {0};
  lt_put_u8(&question, LT_TYPE_BY_REF);
  lt_put_u64(&question, ref);
  int error = ask(file, lt_read_type, &question, ret);
  lt_bytes_free(&question);
  return error;
}

static int ask_global(struct lt_read_file *file, const char *name, struct lt_bytes *ret)
{
  struct lt_bytes question = {0};
  lt_put_string(&question, name);
  int error = ask(file, lt_read_global, &question, ret);
  lt_bytes_free(&question);
  return error;
}

static int ask_scope(struct lt_read_file *file, uint64_t address, struct lt_bytes *ret)
{
  struct lt_bytes question = {0};
  lt_put_u64(&question, address);
  int error = ask(file, lt_read_scope, &question, ret);
  lt_bytes_free(&question);
  return error;
}

/* What a type's description begins with. */
struct head {
  unsigned kind, encoding, flags;
  uint64_t ref, size, target;
  char name[64];
  uint32_t count;
};

static struct head head_of(const struct lt_bytes *answer)
{
  struct lt_bytes_in in = {.at = answer->at, .size = answer->size};
  struct head head = {.kind = lt_get_u8(&in)};
  head.encoding = lt_get_u8(&in);
  head.flags = lt_get_u8(&in);
  head.ref = lt_get_u64(&in);
  head.size = lt_get_u64(&in);
  head.target = lt_get_u64(&in);
  snprintf(head.name, sizeof head.name, "%s", lt_get_string(&in));
  head.count = lt_get_u32(&in);
  assert_false(in.failed);
  return head;
}

static void check_type(struct lt_read_file *file, const char *name, enum lt_type_kind kind,
                       uint64_t size, uint32_t count)
{
  struct lt_bytes answer;
  assert_int_equal(ask_type(file, name, &answer), 0);
  struct head head = head_of(&answer);
  assert_int_equal(head.kind, kind);
  assert_int_equal(head.size, size);
  assert_int_equal(head.count, count);
  lt_bytes_free(&answer);
}

static void types_have_names(void **state)
{
  (void)state;
  static const char *const builds[] = {"variables-O0", "variables-O2", "variables-dwarf4"};
  for (size_t i = 0; i < sizeof builds / sizeof *builds; i++) {
    struct lt_read_file *file = open_file(builds[i]);
    struct lt_bytes answer;
    check_type(file, "struct node", LT_TYPE_STRUCT, 24, 3);
    check_type(file, "enum colour", LT_TYPE_ENUM, 4, 3);
    check_type(file, "union both", LT_TYPE_UNION, 4, 3);
    check_type(file, "number_t", LT_TYPE_TYPEDEF, UINT64_MAX, 0);
    check_type(file, "unsigned long", LT_TYPE_BASE, 8, 0);
    check_type(file, "long unsigned int", LT_TYPE_BASE, 8, 0);
    assert_int_equal(ask_type(file, "struct none", &answer), -ENOENT);
    assert_int_equal(ask_type(file, "enum node", &answer), -ENOENT);
    assert_int_equal(ask_type(file, "", &answer), -ENOENT);
    lt_read_close(file);
  }
}

/* A reference is checked again: what it leads to must be a type. */
static void references_are_checked(void **state)
{
  (void)state;
  struct lt_read_file *file = open_file("variables-O0");
  struct lt_bytes answer;
  assert_int_equal(ask_type(file, "struct node", &answer), 0);
  struct head head = head_of(&answer);
  lt_bytes_free(&answer);
  assert_int_equal(ask_ref(file, head.ref, &answer), 0);
  assert_string_equal(head_of(&answer).name, "node");
  lt_bytes_free(&answer);
  static const uint64_t bad[] = {0, 11, UINT64_MAX, 1 << 30, (uint64_t)1 << 63, (uint64_t)1 << 62};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_true(ask_ref(file, bad[i], &answer) < 0);
    lt_bytes_free(&answer);
  }
  for (uint64_t ref = 1; ref < 4000; ref++) { /* the middle of things too */
    int error = ask_ref(file, ref, &answer);
    assert_true(error <= 0);
    lt_bytes_free(&answer);
  }
  lt_read_close(file);
}

static void globals_have_places(void **state)
{
  (void)state;
  static const char *const names[] = {"counter", "variables.c:only_here", "static_inside::calls",
                                      "per_thread", "all"};
  struct lt_read_file *file = open_file("variables-O0");
  struct lt_bytes answer;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    assert_int_equal(ask_global(file, names[i], &answer), 0);
    assert_int_equal(answer.at[0], 1);
    lt_bytes_free(&answer);
  }
  assert_int_equal(ask_global(file, "conter", &answer), 0);
  assert_int_equal(answer.at[0], 0);
  assert_non_null(memmem(answer.at, answer.size, "counter", sizeof "counter"));
  lt_bytes_free(&answer);
  assert_int_equal(ask_global(file, "", &answer), -EINVAL);
  lt_bytes_free(&answer);
  lt_read_close(file);
}

/* ---- Damage ----------------------------------------------------------------------------------- */

struct image {
  uint8_t *bytes;
  size_t size;
  size_t from[16], length[16]; /* sections with debug information */
  unsigned count;
  uint64_t code, code_size;
};

static void find_sections(struct image *image)
{
  Elf *elf = elf_memory((char *)image->bytes, image->size);
  Elf_Scn *section = NULL;
  size_t names;
  GElf_Shdr header;
  assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
  while ((section = elf_nextscn(elf, section)) && gelf_getshdr(section, &header)) {
    const char *name = elf_strptr(elf, names, header.sh_name);
    if (name && strcmp(name, ".text") == 0) {
      image->code = header.sh_addr;
      image->code_size = header.sh_size;
    }
    if (name && strncmp(name, ".debug_", 7) == 0 && header.sh_size && image->count < 16) {
      image->from[image->count] = header.sh_offset;
      image->length[image->count++] = header.sh_size;
    }
  }
  elf_end(elf);
}

static uint32_t next_random(uint32_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static void damage(struct image *image, uint32_t *random)
{
  static const uint8_t usual[] = {0, 1, 0x7f, 0x80, 0xff};
  unsigned count = image->count ? 1 + next_random(random) % 8 : 0;
  for (unsigned i = 0; i < count; i++) {
    unsigned section = next_random(random) % image->count;
    size_t at = image->from[section] + next_random(random) % image->length[section];
    uint8_t value = (uint8_t)next_random(random);
    image->bytes[at] = value & 1 ? usual[value % sizeof usual] : value;
  }
}

/* Everything that is asked about a file. Answers are taken as they come. */
static void ask_all(struct lt_read_file *file, const struct image *image, uint32_t *random)
{
  static const char *const types[] = {"struct node", "struct mixed",  "enum colour",
                                      "number_t",    "struct opaque", "long"};
  static const char *const globals[] = {"all", "variables.c:only_here", "static_inside::calls",
                                        "nowhere"};
  struct lt_bytes answer;
  for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
    ask_type(file, types[i], &answer);
    lt_bytes_free(&answer);
  }
  for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
    ask_global(file, globals[i], &answer);
    lt_bytes_free(&answer);
  }
  for (int i = 0; i < 30; i++) {
    ask_scope(file, image->code + next_random(random) % image->code_size, &answer);
    lt_bytes_free(&answer);
    ask_ref(file, next_random(random) % 5000, &answer);
    lt_bytes_free(&answer);
  }
}

static void one_round(const struct image *whole, uint32_t seed)
{
  struct image image = *whole;
  struct lt_read_file *file;
  uint32_t random = seed * 2654435761U + 1;
  int fd = memfd_create("damaged", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, (off_t)image.size) != 0)
    _exit(2);
  image.bytes = mmap(NULL, image.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (image.bytes == MAP_FAILED)
    _exit(2);
  memcpy(image.bytes, whole->bytes, image.size);
  damage(&image, &random);
  munmap(image.bytes, image.size);
  if (lt_read_open(fd, -1, "/damaged", false, &file) != 0)
    return;
  ask_all(file, &image, &random);
  lt_read_close(file);
}

/* Many rounds in a process of their own. A crash inside libdw ends it, as it would end the reader
 * process; the rounds after it are done in another. */
static unsigned batch(const struct image *image, uint32_t from, uint32_t *done)
{
  *done = 0;
  fflush(NULL);
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    alarm(SECONDS);
    for (uint32_t i = from; i < from + BATCH; i++) {
      *done = i - from;
      one_round(image, i);
    }
    *done = BATCH;
    _exit(0);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  if (WIFSIGNALED(status)) {
    print_message("round %u: signal %d\n", from + *done, WTERMSIG(status));
    assert_int_not_equal(WTERMSIG(status), SIGALRM);
    return 1;
  }
  assert_int_equal(WEXITSTATUS(status), 0);
  return 0;
}

static void damaged_files(void **state)
{
  (void)state;
  static const char *const builds[] = {"variables-O2", "variables-dwarf4"};
  uint32_t *done = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  unsigned crashes = 0;
  for (size_t i = 0; i < sizeof builds / sizeof *builds; i++) {
    struct image image = {0};
    int fd = open_fixture(builds[i]);
    if (fd < 0)
      skip();
    image.size = (size_t)lseek(fd, 0, SEEK_END);
    image.bytes = mmap(NULL, image.size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    assert_true(image.bytes != MAP_FAILED);
    elf_version(EV_CURRENT);
    find_sections(&image);
    assert_true(image.count > 3);
    for (uint32_t round = 0; round < ROUNDS / 2;) {
      unsigned crash = batch(&image, round, done);
      crashes += crash;
      round += crash ? *done + 1 : BATCH;
    }
    munmap(image.bytes, image.size);
    close(fd);
  }
  munmap(done, 4096);
  assert_in_range(crashes, 0, ROUNDS / 200); /* libdw's own */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(types_have_names),
      cmocka_unit_test(references_are_checked),
      cmocka_unit_test(globals_have_places),
      cmocka_unit_test(damaged_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
