/* slack.c - unused bytes at the end of a program's own code.
 *
 * The last page of a code segment is mapped whole: what lies behind the segment's end in the file is
 * there too, and nothing refers to it. A program that has shut itself in by a seccomp filter may not
 * be able to map memory, and may even be killed for trying; there, slots go into those bytes. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "breaks.h"

#define PAGE ((uint64_t)4096)
#define SEGMENTS_MAX 64
#define ALIGN ((uint64_t)16)

static uint64_t round_up(uint64_t value, uint64_t to)
{
  return (value + to - 1) & ~(to - 1);
}

/* The two ELF classes have the same fields at different places. */
struct segment {
  bool code;
  uint64_t offset, filesz, memsz;
};

static size_t read_segments(lt_process *process, uint64_t base, struct segment *ret)
{
  union {
    Elf64_Ehdr e64;
    Elf32_Ehdr e32;
  } header;
  if (lt_mem_raw_read(process, base, &header, sizeof header) != (ssize_t)sizeof header ||
      memcmp(header.e64.e_ident, ELFMAG, SELFMAG) != 0)
    return 0;
  bool wide = header.e64.e_ident[EI_CLASS] == ELFCLASS64;
  uint64_t at = base + (wide ? header.e64.e_phoff : header.e32.e_phoff);
  size_t count = wide ? header.e64.e_phnum : header.e32.e_phnum;
  size_t size = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), done = 0;
  for (; done < count && done < SEGMENTS_MAX; done++) {
    union {
      Elf64_Phdr p64;
      Elf32_Phdr p32;
    } one;
    if (lt_mem_raw_read(process, at + done * size, &one, size) != (ssize_t)size)
      break;
    ret[done] = wide ? (struct segment){one.p64.p_type == PT_LOAD && one.p64.p_flags & PF_X,
                                        one.p64.p_offset, one.p64.p_filesz, one.p64.p_memsz}
                     : (struct segment){one.p32.p_type == PT_LOAD && one.p32.p_flags & PF_X,
                                        one.p32.p_offset, one.p32.p_filesz, one.p32.p_memsz};
  }
  return done;
}

/* The map with the beginning of the file: with its headers. */
static const struct lt_map *head_of(const struct lt_map *maps, size_t count,
                                    const struct lt_map *code)
{
  const struct lt_map *head = NULL;
  for (size_t i = 0; i < count && maps[i].from <= code->from; i++)
    if (maps[i].inode == code->inode && maps[i].dev_major == code->dev_major &&
        maps[i].dev_minor == code->dev_minor && maps[i].offset == 0)
      head = &maps[i];
  return head;
}

/* The bytes of this map behind the end of its segment; false if it has none. */
static bool behind_segment(lt_process *process, const struct lt_map *head,
                           const struct lt_map *code, uint64_t *ret_from, uint64_t *ret_to)
{
  struct segment segments[SEGMENTS_MAX];
  size_t count = read_segments(process, head->from, segments);
  for (size_t i = 0; i < count; i++) {
    uint64_t end = segments[i].offset + segments[i].filesz;
    uint64_t from = code->from + (end - code->offset);
    if (!segments[i].code || segments[i].memsz != segments[i].filesz || end < code->offset ||
        from < code->from || round_up(from, PAGE) != code->to)
      continue;
    *ret_from = round_up(from, ALIGN);
    *ret_to = code->to;
    return *ret_from < *ret_to;
  }
  return false;
}

bool lt_slack_find(lt_thread *thread, uint64_t near, uint64_t *ret_from, uint64_t *ret_to)
{
  struct lt_map *maps;
  ssize_t count = lt_maps(thread, &maps);
  bool found = false;
  for (ssize_t i = 0; i < count && !found; i++) {
    const struct lt_map *head;
    if (maps[i].from <= near && near < maps[i].to && maps[i].inode && maps[i].perms[1] != 'w' &&
        maps[i].perms[3] == 'p' && (head = head_of(maps, (size_t)count, &maps[i])))
      found = behind_segment(thread->process, head, &maps[i], ret_from, ret_to);
  }
  lt_maps_free(maps, count > 0 ? (size_t)count : 0);
  return found;
}
