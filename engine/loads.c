/* loads.c - notices when the dynamic loader maps or unmaps objects.
 *
 * Loaders call an empty function for debuggers, _dl_debug_state, before and after they change
 * anything: after all objects of a start or of a dlopen(3) are mapped, and before their constructors
 * run. A site of ours stands there while somebody wants LT_LOAD. What has changed is read from
 * /proc/PID/maps and not from the loader's own list, which the program can write. */
#include "loads.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "breaks.h"
#include "symbol_index.h"

/* A value of the auxiliary vector; 0 if it has none. `bytes` is the size of its words. */
static uint64_t auxiliary(const uint8_t *vector, size_t size, size_t bytes, uint64_t wanted)
{
  for (size_t at = 0; at + 2 * bytes <= size; at += 2 * bytes) {
    uint64_t type = 0, value = 0;
    memcpy(&type, vector + at, bytes);
    memcpy(&value, vector + at + bytes, bytes);
    if (type == wanted)
      return value;
    if (type == AT_NULL)
      break;
  }
  return 0;
}

/* An address in the loader; or in the program, which may be the loader itself. */
static uint64_t loader_address(lt_thread *thread, bool is_64)
{
  uint8_t vector[2048];
  size_t bytes = is_64 ? 8 : 4;
  int fd = lt_k_proc_open(thread->tid, "auxv", O_RDONLY);
  if (fd < 0)
    return 0;
  ssize_t size = lt_k_pread(fd, vector, sizeof vector, 0);
  close(fd);
  if (size <= 0)
    return 0;
  uint64_t base = auxiliary(vector, (size_t)size, bytes, AT_BASE);
  return base ? base : auxiliary(vector, (size_t)size, bytes, AT_ENTRY);
}

static uint64_t find_function(lt_thread *thread)
{
  size_t count, index;
  int error;
  const struct lt_module *modules = lt_modules_of(thread, &count);
  if (!count)
    return 0;
  uint64_t addr = loader_address(thread, lt_file_is_64(modules[0].file));
  const struct lt_module *loader = addr ? lt_module_at(thread, addr) : NULL;
  if (!loader || !lt_names_of(loader->file, &error) ||
      !lt_names_find(loader->file, "_dl_debug_state", false, &index))
    return 0;
  return lt_names_at(loader->file->names, index)->addr + loader->bias;
}

static bool wanted(const lt_session *session)
{
  return session->kinds & 1u << LT_LOAD;
}

void lt_loads_begin(lt_thread *thread)
{
  lt_process *process = thread->process;
  struct lt_space *space = process->space;
  if (!wanted(thread->session) || space->load_site || process->starting || process->detaching)
    return;
  lt_modules_update(thread);
  uint64_t addr = find_function(thread);
  if (!addr)
    return; /* linked statically: nothing is ever loaded */
  int error = lt_site_own(process, addr, LT_OWNER_LOADER);
  if (!error)
    space->load_site = addr;
  else if (error != -ESRCH && thread->session->hooks.warn) {
    lt_fail(thread->session, error, "process %d: what it loads is not noticed: %s",
            (int)process->pid, lt_errno_text(-error));
    thread->session->hooks.warn(thread->session->data, lt_error(thread->session));
  }
}

static lt_thread *any_thread(const lt_process *process)
{
  lt_thread *thread = process->threads;
  while (thread && lt_thread_access(thread) == -ESRCH)
    thread = thread->next;
  return thread;
}

void lt_loads_wanted(lt_session *session, bool on)
{
  for (lt_process *one = session->processes; one; one = lt_process_next(one)) {
    lt_thread *thread = any_thread(one);
    uint64_t addr = one->space->load_site;
    if (on && thread && one->started)
      lt_loads_begin(thread);
    if (!on && addr) {
      one->space->load_site = 0;
      lt_site_disown(one, addr, LT_OWNER_LOADER);
    }
  }
}

enum lt_verdict lt_loads_on_break(lt_thread *thread)
{
  if (!lt_modules_update(thread))
    return LT_RESUME;
  struct lt_stop record = thread->stop;
  record.kind = LT_LOAD;
  return lt_report_record(thread, &record);
}
