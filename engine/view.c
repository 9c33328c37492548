/* view.c - a frame as the surroundings of the expressions that say where its variables are. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "kernel.h"
#include "object.h"
#include "registers.h"

#define DEPTH_MAX 4 /* a frame base that needs a frame base */
#define SEGMENTS_MAX 64
#define AUXV_MAX 1024

int lt_view_open(lt_thread *thread, unsigned frame, struct lt_view *ret)
{
  memset(ret, 0, offsetof(struct lt_view, cursor.window));
  ret->file = NULL;
  ret->base = NULL;
  ret->bias = ret->depth = 0;
  int error = lt_cursor_at(thread, frame, &ret->cursor);
  if (error == -ENOENT)
    return lt_fail(thread->session, error, "thread %d has no frame %u", (int)thread->tid, frame);
  if (error)
    return error;
  const struct lt_module *module = lt_module_at(thread, lt_cursor_lookup(&ret->cursor));
  if (module) {
    ret->file = module->file;
    ret->bias = module->bias;
  }
  return 0;
}

/* ---- Registers ------------------------------------------------------------------------------ */

static const struct lt_reg *reg_of(const struct lt_view *view, unsigned number)
{
  const struct lt_dwarf_regs *dwarf = view->cursor.arch->dwarf;
  const char *name = number < dwarf->names ? dwarf->name[number] : NULL;
  return name ? lt_reg_find(view->cursor.arch->abi, name) : NULL;
}

static int lost(const struct lt_view *view)
{
  return lt_fail(view->cursor.thread->session, -ENODATA,
                 "not available: the value of its register in this frame is lost");
}

int lt_view_register(struct lt_view *view, unsigned number, uint8_t *ret, size_t *size)
{
  const struct lt_reg *reg = reg_of(view, number);
  uint64_t value;
  if (number < view->cursor.arch->dwarf->count) {
    int error = lt_cursor_reg(&view->cursor, number, &value);
    if (error)
      return error == -ENODATA ? lost(view) : error;
    *size = view->cursor.arch->word;
    memcpy(ret, &value, *size);
    return 0;
  }
  if (!reg || reg->size > *size)
    return lt_fail(view->cursor.thread->session, -ENOTSUP,
                   "it is in register %u, which is not known", number);
  if (view->cursor.level) /* no function keeps those for its caller */
    return lost(view);
  *size = reg->size;
  return lt_reg_get(view->cursor.thread, reg, ret);
}

int lt_view_set_register(struct lt_view *view, unsigned number, const uint8_t *bytes, size_t size)
{
  const struct lt_reg *reg = reg_of(view, number);
  lt_thread *thread = view->cursor.thread;
  bool unwound = number < view->cursor.arch->dwarf->count;
  if (unwound && view->cursor.in_memory >> number & 1) {
    ssize_t done = lt_mem_write(thread, view->cursor.saved[number], bytes, size);
    return done < 0 ? (int)done : (size_t)done < size ? -EFAULT : 0;
  }
  if (!reg || reg->size != size)
    return lt_fail(thread->session, -EROFS, "register %u cannot be written", number);
  return lt_reg_set(thread, reg, bytes);
}

/* ---- Thread-local storage --------------------------------------------------------------------- */

struct headers {
  uint64_t at;
  size_t size, count;
};

/* The program's own headers, as the kernel told the program. */
static int find_headers(lt_thread *thread, bool is_64, struct headers *ret)
{
  uint8_t bytes[AUXV_MAX];
  size_t word = is_64 ? 8 : 4;
  int fd = lt_k_proc_open(thread->tid, "auxv", O_RDONLY);
  if (fd < 0)
    return fd;
  ssize_t size = lt_k_pread(fd, bytes, sizeof bytes, 0);
  close(fd);
  *ret = (struct headers){0};
  for (ssize_t i = 0; size > 0 && i + (ssize_t)(2 * word) <= size; i += (ssize_t)(2 * word)) {
    uint64_t type = 0, value = 0;
    memcpy(&type, bytes + i, word);
    memcpy(&value, bytes + i + word, word);
    if (type == AT_PHDR)
      ret->at = value;
    else if (type == AT_PHENT)
      ret->size = value;
    else if (type == AT_PHNUM)
      ret->count = value;
  }
  size_t want = is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
  return ret->at && ret->size == want && ret->count <= SEGMENTS_MAX ? 0 : -ENODATA;
}

static bool read_tls_segment(lt_thread *thread, const struct headers *headers, bool is_64,
                             Elf64_Phdr *ret)
{
  for (size_t i = 0; i < headers->count; i++) {
    Elf32_Phdr narrow;
    uint64_t at = headers->at + i * headers->size;
    void *to = is_64 ? (void *)ret : (void *)&narrow;
    if (lt_mem_read(thread, at, to, headers->size) != (ssize_t)headers->size)
      return false;
    if (!is_64)
      *ret = (Elf64_Phdr){
          .p_type = narrow.p_type, .p_memsz = narrow.p_memsz, .p_align = narrow.p_align};
    if (ret->p_type == PT_TLS)
      return true;
  }
  return false;
}

/* The program's thread-local storage ends where the thread pointer points; the length is rounded up.
 * Where that of its libraries is, only the C library knows. */
static int thread_local(void *data, uint64_t offset, uint64_t *ret)
{
  struct lt_view *view = data;
  lt_thread *thread = view->cursor.thread;
  const struct lt_regs *regs;
  bool is_64 = view->cursor.arch->word == 8;
  struct headers headers;
  Elf64_Phdr segment;
  int error = lt_regs_general(thread, &regs);
  if (error)
    return error;
  const struct lt_module *module =
      find_headers(thread, is_64, &headers) ? NULL : lt_module_at(thread, headers.at);
  if (!module || module->file != view->file || !read_tls_segment(thread, &headers, is_64, &segment))
    return lt_fail(thread->session, -ENODATA,
                   "not available: where a library's thread-local variables are is not known");
  uint64_t align = segment.p_align ? segment.p_align : 1;
  uint64_t size = (segment.p_memsz + align - 1) / align * align;
  *ret = view->cursor.arch->thread_pointer(regs) - size + offset;
  if (!is_64)
    *ret = (uint32_t)*ret;
  return 0;
}

/* ---- Surroundings ----------------------------------------------------------------------------- */

static int frame_base(void *data, uint64_t *ret)
{
  struct lt_view *view = data;
  struct lt_surroundings around;
  struct lt_place place;
  uint8_t bytes[LT_REGISTER_BYTES] = {0};
  size_t size = sizeof bytes;
  if (!view->base || view->depth >= DEPTH_MAX)
    return -ENODATA;
  lt_view_surroundings(view, &around);
  view->depth++;
  int error = lt_expression_place(view->base, &around, &place);
  view->depth--;
  if (error)
    return error;
  if (place.count != 1 || place.piece[0].bits)
    return -ENOTSUP;
  *ret = place.piece[0].value;
  if (place.piece[0].kind != LT_PIECE_REGISTER)
    return 0;
  error = lt_view_register(view, (unsigned)place.piece[0].value, bytes, &size);
  memcpy(ret, bytes, sizeof *ret);
  return error;
}

/* Entry values are not known: only the caller's debug information could tell what it had passed. */
void lt_view_surroundings(struct lt_view *view, struct lt_surroundings *ret)
{
  lt_cursor_around(&view->cursor, view->bias, ret);
  ret->frame_base = frame_base;
  ret->tls = thread_local;
}
