/* plant.c - breakpoint instructions written into a program's memory, and taken out.
 *
 * They are written through /proc/PID/mem, so the program need not stop for it. None is taken out while
 * it has owners: threads that run onto it run its instruction elsewhere. */
#include <errno.h>
#include <string.h>

#include "breaks.h"
#include "module.h"
#include "probe.h"
#include "watchpoints.h"

static const struct lt_arch *arch(void)
{
  return lt_arch_native();
}

bool lt_site_is_in_place(lt_process *process, const struct lt_site *site)
{
  uint8_t bytes[LT_TRAP_BYTES];
  size_t size = arch()->trap_size;
  if (site->probe)
    return lt_probe_is_in_place(process, site);
  return lt_mem_raw_read(process, site->addr, bytes, size) == (ssize_t)size &&
         memcmp(bytes, arch()->trap_bytes, size) == 0;
}

ssize_t lt_site_code(lt_process *process, uint64_t addr, void *ret, size_t size)
{
  ssize_t done = lt_mem_raw_read(process, addr, ret, size);
  if (done > 0)
    lt_sites_hide(process, addr, ret, (size_t)done);
  return done;
}

static int cannot_plant(lt_process *process, uint64_t addr, int error)
{
  const char *why = lt_errno_text(-error);
  if (error == -EFAULT || error == -EIO)
    why = "the memory is not mapped, or is shared and cannot be written; a hardware breakpoint may "
          "do";
  return lt_fail(process->session, error, "no breakpoint can be set at 0x%llx in process %d: %s",
                 (unsigned long long)addr, (int)process->pid, why);
}

int lt_site_plant(lt_process *process, struct lt_site *site)
{
  size_t size = arch()->trap_size;
  ssize_t done = lt_mem_raw_read(process, site->addr, site->bytes, size);
  if (done == (ssize_t)size)
    done = lt_mem_raw_write(process, site->addr, arch()->trap_bytes, size);
  if (done != (ssize_t)size)
    return cannot_plant(process, site->addr, done < 0 ? (int)done : -EFAULT);
  site->planted = true;
  site->translated = site->whole = false;
  process->space->sites->planted++;
  process->space->sites->changes++;
  return 0;
}

/* Only what is still ours: the program may have put other code there. */
void lt_site_lift(lt_process *process, struct lt_site *site)
{
  if (site->probe)
    lt_probe_clear(process, site->addr, 1);
  if (!site->planted)
    return;
  if (lt_site_is_in_place(process, site))
    lt_mem_raw_write(process, site->addr, site->bytes, arch()->trap_size);
  site->planted = false;
  process->space->sites->planted--;
  process->space->sites->changes++;
}

/* Whether there is something else than code, which would be changed and never run. Where nothing is
 * mapped, planting says so. */
static bool is_data(lt_process *process, uint64_t addr)
{
  struct lt_space *space = process->space;
  struct lt_map *maps;
  bool data = false;
  if ((space->code_from <= addr && addr < space->code_to) || !process->threads)
    return false;
  ssize_t count = lt_maps_read(process->threads->tid, &maps);
  for (ssize_t i = 0; i < count; i++) {
    if (addr < maps[i].from || addr >= maps[i].to)
      continue;
    data = maps[i].perms[2] != 'x';
    space->code_from = data ? 0 : maps[i].from;
    space->code_to = data ? 0 : maps[i].to;
  }
  lt_maps_free(maps, count > 0 ? (size_t)count : 0);
  return data;
}

int lt_site_own(lt_process *process, uint64_t addr, enum lt_owner owner)
{
  bool first = !lt_sites_any(process);
  struct lt_site *site = lt_site_find(process, addr);
  if (!site && is_data(process, addr))
    return lt_fail(process->session, -EINVAL,
                   "no breakpoint can be set at 0x%llx in process %d: there is data, not code; "
                   "a watchpoint tells who uses it",
                   (unsigned long long)addr, (int)process->pid);
  if (!site && !(site = lt_site_make(process, addr)))
    return lt_fail(process->session, -ENOMEM, "out of memory");
  if (!site->probe || owner != LT_OWNER_AGGREGATE)
    lt_probe_clear(process, addr, 1);
  if (!site->planted || !lt_site_is_in_place(process, site)) {
    if (site->probe)
      lt_probe_drop(process, site);
    process->space->sites->planted -= site->planted; /* the program has rewritten it */
    site->planted = false;
    int error = lt_site_plant(process, site);
    if (error)
      return error;
  }
  site->owners |= (uint8_t)owner;
  if (first) {
    lt_trap_state_look(process);
    lt_remode(process->session);
  }
  return 0;
}

void lt_site_disown(lt_process *process, uint64_t addr, enum lt_owner owner)
{
  struct lt_site *site = lt_site_find(process, addr);
  if (!site)
    return;
  site->owners &= (uint8_t)~owner;
  if (owner == LT_OWNER_USER && site->hardware) {
    site->hardware = false;
    lt_debug_release(process, addr, 0);
  }
  if (!site->owners)
    lt_site_lift(process, site);
}

unsigned lt_site_owners(const lt_process *process, uint64_t addr)
{
  const struct lt_site *site = lt_site_find(process, addr);
  return site ? site->owners : 0;
}

bool lt_sites_any(const lt_process *process)
{
  return process->space->sites && process->space->sites->planted;
}

uint32_t lt_sites_changes(const lt_process *process)
{
  return process->space->sites ? process->space->sites->changes : 0;
}

/* The planted code may be missing in the child: it has a breakpoint there at most. */
static void check_jump(lt_process *process, struct lt_site *site)
{
  uint8_t bytes[LT_JUMP_BYTES];
  if (site->probe)
    lt_probe_drop(process, site);
  if (!site->whole || lt_mem_raw_read(process, site->addr, bytes, sizeof bytes) != sizeof bytes ||
      memcmp(bytes + 1, site->bytes + 1, sizeof bytes - 1) == 0)
    return;
  lt_mem_raw_write(process, site->addr, arch()->trap_bytes, arch()->trap_size);
  lt_mem_raw_write(process, site->addr + 1, site->bytes + 1, sizeof bytes - 1);
}

void lt_sites_check(lt_process *process)
{
  struct lt_sites *sites = process->space->sites;
  for (struct lt_site *site = sites ? sites->by_addr : NULL; site; site = site->hh.next) {
    check_jump(process, site);
    bool in_place = lt_site_is_in_place(process, site);
    if (site->planted && !in_place)
      lt_mem_raw_write(process, site->addr, arch()->trap_bytes, arch()->trap_size);
    else if (!site->planted && in_place)
      lt_mem_raw_write(process, site->addr, site->bytes, arch()->trap_size);
  }
}

/* ---- Breakpoints of the caller ------------------------------------------------------------ */

/* The site is a record alone: nothing of ours is in memory for it. */
static int own_hardware(lt_process *process, uint64_t addr)
{
  struct lt_site *site = lt_site_find(process, addr);
  if (site && site->owners & LT_OWNER_USER)
    return 0;
  if (!site && !(site = lt_site_make(process, addr)))
    return lt_fail(process->session, -ENOMEM, "out of memory");
  int error = lt_debug_claim(process, addr, LT_WATCH_EXECUTE, 1, 0);
  if (error)
    return error;
  site->hardware = true;
  site->owners |= LT_OWNER_USER;
  return 0;
}

int lt_break_add(lt_process *process, uint64_t addr, unsigned flags, uint32_t *ret)
{
  struct lt_site *site = lt_site_find(process, addr);
  bool hardware = flags & LT_BREAK_HARDWARE || (site && site->hardware);
  int error = hardware ? own_hardware(process, addr) : lt_site_own(process, addr, LT_OWNER_USER);
  if (error)
    return error;
  site = lt_site_find(process, addr);
  if (!site->id) {
    site->id = ++process->session->break_ids;
    HASH_ADD(by_id, process->space->sites->by_id, id, sizeof site->id, site);
  }
  site->checks |= flags & LT_BREAK_CHECK && !hardware;
  *ret = site->id;
  return 0;
}

uint64_t lt_stack_check(lt_thread *thread, uint64_t addr)
{
  const struct lt_module *module = lt_module_at(thread, addr);
  uint8_t code[16];
  if (!module || !lt_file_is_go(module->file) || !lt_file_is_64(module->file) ||
      lt_site_code(thread->process, addr, code, sizeof code) != (ssize_t)sizeof code)
    return addr;
  return addr + lt_arch_get(LT_ABI_X86_64)->stack_check(code, sizeof code);
}

uint32_t lt_break_find(const lt_process *process, uint64_t addr)
{
  const struct lt_site *site = lt_site_find(process, addr);
  return site && site->owners & LT_OWNER_USER ? site->id : 0;
}

void lt_break_remove(lt_session *session, uint32_t id)
{
  for (lt_process *process = session->processes; process; process = process->hh.next) {
    struct lt_site *site = NULL;
    if (process->space->sites)
      HASH_FIND(by_id, process->space->sites->by_id, &id, sizeof id, site);
    if (site)
      lt_site_disown(process, site->addr, LT_OWNER_USER);
  }
}

void lt_break_clear(lt_process *process, uint64_t addr)
{
  lt_site_disown(process, addr, LT_OWNER_USER);
}
