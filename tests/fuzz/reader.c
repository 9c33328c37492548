/* reader.c - any bytes as an object file, and every question about it. The libraries below were not
 * made for that, and a crash inside them is contained by the reader process: what counts here is
 * our own code.
 *
 * The last bytes of the file also serve as a question. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "read.h"
#include "read_variables.h"

#define TAIL ((size_t)64)
#define ADDRESSES 8

/* All of one kind: the answer is thrown away. */
static void ask(struct lt_read_file *file, lt_read_fn *function, const struct lt_bytes *question)
{
  struct lt_bytes_in in = {.at = question->at, .size = question->size};
  struct lt_bytes answer = {0};
  int error = function(file, &in, &answer);
  MUST(error <= 0);
  lt_bytes_free(&answer);
}

static void ask_address(struct lt_read_file *file, uint64_t addr)
{
  struct lt_bytes question = {0};
  lt_put_u64(&question, addr);
  lt_put_u8(&question, 0);
  ask(file, lt_read_lines_at, &question);
  question.at[8] = 1;
  ask(file, lt_read_lines_at, &question);
  question.size = 8;
  ask(file, lt_read_scope, &question);
  lt_put_u32(&question, 17);
  ask(file, lt_read_frame, &question);
  lt_bytes_free(&question);
}

static void ask_line(struct lt_read_file *file, const char *name, uint32_t line)
{
  struct lt_bytes question = {0};
  lt_put_string(&question, name);
  lt_put_u32(&question, line);
  ask(file, lt_read_lines_of, &question);
  lt_bytes_free(&question);
}

static void ask_symbols(struct lt_read_file *file)
{
  struct lt_bytes question = {0};
  ask(file, lt_read_info, &question);
  lt_put_u8(&question, 0);
  ask(file, lt_read_symbols, &question);
  question.at[0] = 1;
  ask(file, lt_read_symbols, &question);
  lt_bytes_free(&question);
}

/* Addresses at which something may be: where sections begin, and a little further. */
static void ask_sections(struct lt_read_file *file)
{
  Elf_Scn *section = NULL;
  GElf_Shdr header;
  for (unsigned count = 0; count < ADDRESSES && (section = elf_nextscn(file->elf, section));)
    if (gelf_getshdr(section, &header) && header.sh_flags & SHF_EXECINSTR) {
      ask_address(file, header.sh_addr);
      ask_address(file, header.sh_addr + header.sh_size / 2);
      count++;
    }
}

/* Types by name and by every place that may be one. */
static void ask_types(struct lt_read_file *file)
{
  static const char *const names[] = {"struct point", "int", "both", "shapes::box<long>"};
  static const char *const globals[] = {"sink", "seed.c:points", "nothing"};
  struct lt_bytes question = {0};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    question.size = 0;
    lt_put_u8(&question, LT_TYPE_BY_NAME);
    lt_put_string(&question, names[i]);
    ask(file, lt_read_type, &question);
  }
  for (uint64_t where = 11; where < 400; where += 3) {
    question.size = 0;
    lt_put_u8(&question, LT_TYPE_BY_REF);
    lt_put_u64(&question, where);
    ask(file, lt_read_type, &question);
  }
  for (size_t i = 0; i < sizeof globals / sizeof *globals; i++) {
    question.size = 0;
    lt_put_string(&question, globals[i]);
    ask(file, lt_read_global, &question);
  }
  question.size = 0;
  ask(file, lt_read_lines_all, &question);
  lt_bytes_free(&question);
}

static void ask_tail(struct lt_read_file *file, const uint8_t *data, size_t size)
{
  static lt_read_fn *const all[] = {
      lt_read_info,      lt_read_symbols, lt_read_demangle, lt_read_lines_at, lt_read_lines_of,
      lt_read_lines_all, lt_read_frame,   lt_read_scope,    lt_read_global,   lt_read_type};
  size_t some = size < TAIL ? size : TAIL;
  struct lt_bytes question = {0};
  lt_put(&question, data + size - some, some);
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    ask(file, all[i], &question);
  lt_bytes_free(&question);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct lt_read_file *file;
  int fd = memfd_create("fuzz", MFD_CLOEXEC);
  MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  if (lt_read_open(fd, -1, "/nowhere/fuzz", false, &file) != 0)
    return 0;
  ask_symbols(file);
  ask_sections(file);
  for (uint32_t line = 0; line < 4; line++)
    ask_line(file, line & 1 ? "seed.c" : "seed.h", line);
  ask_types(file);
  ask_tail(file, data, size);
  lt_read_close(file);
  return 0;
}
