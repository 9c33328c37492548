-- Breakpoints: on_break and on_call, and what happens in Lua when a thread runs onto one.
--
-- A location is looked up in each process that is traced, again when it runs another program, and
-- in what it loads. The engine gives each address a number, which the copy of a forked child has as
-- well: `sites` knows by it what to do.

local core = require "luatrace.core"
local errors = require "luatrace.errors"
local frames = require "luatrace.frames"
local hooks = require "luatrace.hooks"
local lazy = require "luatrace.lazy"
local locations = require "luatrace.locations"
local modules = require "luatrace.modules"
local nearest = lazy.nearest
local subscribe = require "luatrace.subscribe"
local tasks = require "luatrace.tasks"
local turns = require "luatrace.turns"

local aggregates = lazy.aggregates

local breaks = {}

local sites = {} -- by number of the engine: { id, addr, name, module, entry, list of handlers }
local made_by = {} -- by process: list of the sites that were planted in it first
local live = {} -- by process: true while its breakpoints are looked after
local loading = {} -- by process: true until the dynamic loader has told of the first objects
local handlers = {} -- list of handlers in order of registration; replaced, never changed

-- ---- Planting ------------------------------------------------------------------------------

local function new_site(p, id, place)
  local site = { id = id, addr = place.addr, name = place.name, module = place.module,
    entry = place.entry, list = {} }
  sites[id] = site
  made_by[p] = made_by[p] or {}
  table.insert(made_by[p], site)
  return site
end

-- The handlers that are called here. `only`: there is one, and nothing to ask before it is called.
-- That one is called by quick.c where nobody else can want the hit.
local function take_hits(site, forget)
  local count = core.quick_hits(site.id, forget)
  site.only.hits, site.only.count = site.only.hits + count, site.only.count + count
end

local function make_quick(site)
  local info = debug.getinfo(site.only.run, "u")
  core.quick_break(site.id, site.only.run, info.isvararg or info.nparams > 1, site)
end

core.quick_frame(function(fn, t, site, seq) return fn(t, frames.new(t, site, seq)) end)

local function set_handlers(site, list)
  local first = list[1]
  if site.only then take_hits(site, true) end
  site.list = list
  site.only = not list[2] and first and first.plain and not first.asks and first or nil
  if site.only then make_quick(site) end
end

local function with(list, one)
  local copy = {}
  for i = 1, #list do copy[i] = list[i] end
  copy[#copy + 1] = one
  return copy
end

local function without(list, one)
  local copy = {}
  for i = 1, #list do
    if list[i] ~= one then copy[#copy + 1] = list[i] end
  end
  return copy
end

local function note_address(handler, addr)
  if handler.known[addr] then return end
  handler.known[addr] = true
  table.insert(handler.addresses, addr)
  local aggregation = handler.aggregation
  if aggregation then aggregation.addresses = aggregation.addresses + 1 end
end

-- What is counted has no site here: the engine does all of it.
local function plant_count(handler, p, addr, check)
  local ok, message, code = handler.feed.add(p, addr, check)
  if not ok then return nil, message, code end
  handler.resolved = true
  note_address(handler, addr)
  return true
end

-- Returns true, or nil, a message and a code.
local function plant(handler, p, place)
  local addr = place.addr
  if handler.after_prologue and place.entry then
    addr = core.after_prologue(p, addr) or addr
    place = { addr = addr, name = place.name, module = place.module, entry = addr == place.addr }
  end
  local check = false
  if addr == place.addr and place.entry then
    addr = core.stack_check(p, addr)
    check = addr ~= place.addr
    place = { addr = addr, name = place.name, module = place.module, entry = true }
  end
  if handler.feed then return plant_count(handler, p, addr, check) end
  local id, message, code = core.break_add(p, addr, handler.hardware, check)
  if not id then return nil, message, code end
  handler.resolved = true
  if handler.sites[id] then return true end
  local site = sites[id] or new_site(p, id, place)
  if site.entry == nil then site.entry = place.entry end
  handler.sites[id] = site
  set_handlers(site, with(site.list, handler))
  note_address(handler, addr)
  return true
end

local function release(handler)
  for id, site in pairs(handler.sites) do
    set_handlers(site, without(site.list, handler))
    if not site.list[1] then
      sites[id] = nil
      core.break_remove(id)
    end
  end
  handler.sites = {}
end

-- ---- Functions with several implementations ------------------------------------------------

-- Have the function at `place` that chooses one say which; then plant there.
local function plant_chosen(handler, p, place, addr)
  if not addr or addr == 0 or handler.removed or not p.alive then return end
  plant(handler, p, { addr = addr, name = place.name, module = place.module, entry = true })
end

-- A program that is not relocated yet will call it.
local function plant_when_chosen(handler, p, place)
  local chooser = { kind = "break", label = place.name, owner = "luatrace.breaks", hits = 0,
    count = 0, sites = {}, known = {}, addresses = {}, enabled = true, internal = true }
  chooser.fn = function(t, f)
    local addr = f:leave("ptr")
    plant_chosen(handler, t.process, place, addr)
  end
  chooser.run, chooser.plain = chooser.fn, true
  handler.choosers = handler.choosers or {}
  table.insert(handler.choosers, chooser)
  return plant(chooser, p, place)
end

local function ask_chooser(t, place)
  local ok, addr = pcall(t.call, t, place.addr)
  return ok and addr or nil
end

-- A thread runs it for us.
local function plant_asking(handler, p, place)
  handler.resolved = true
  tasks.start(function()
    for _, t in ipairs(p:threads()) do
      if core.is_stopped(t) then
        plant_chosen(handler, p, place, ask_chooser(t, place))
        return
      end
    end
    local addr
    p:freeze(function()
      for _, t in ipairs(p:threads()) do
        if not addr and core.is_stopped(t) then addr = ask_chooser(t, place) end
      end
    end)
    plant_chosen(handler, p, place, addr)
  end)
end

local function plant_indirect(handler, p, place, relocated)
  if relocated then return plant_asking(handler, p, place) end
  return plant_when_chosen(handler, p, place)
end

-- ---- Looking up ----------------------------------------------------------------------------

local function plant_all(handler, p, spec, list, relocated)
  local failure
  for _, place in ipairs(list) do
    local ok, message
    if place.indirect then
      plant_indirect(handler, p, place, relocated)
    else
      ok, message = plant(handler, p, place)
      failure = failure or (not ok and message)
    end
  end
  if failure and spec.kind ~= "glob" and spec.kind ~= "file" and not handler.told then
    handler.told = true
    core.warn(("on_%s: %s: %s"):format(handler.kind, spec.label, failure))
  end
end

-- `new`: list of the modules to look in; nil: all. `relocated`: the loader has made them ready
-- to run.
local function resolve(handler, p, relocated, new)
  local options = handler.options
  if handler.removed or not handler.enabled or (options.process and options.process ~= p)
    or (options.thread and options.thread.pid ~= p.pid) then
    return
  end
  for _, spec in ipairs(handler.specs) do
    local list, message = locations.resolve(p, spec, new, loading[p])
    if list then
      handler.found[spec] = true
      plant_all(handler, p, spec, list, relocated)
    elseif not handler.found[spec] and not loading[p] then
      handler.problem = message .. locations.hint(p, spec)
    end
  end
end

local function resolve_all(p, relocated, new)
  for _, handler in ipairs(handlers) do resolve(handler, p, relocated, new) end
end

-- ---- What happens to processes -------------------------------------------------------------

-- A forked child has its creator's breakpoints.
local copies = { fork = true, vfork = true, clone = true }

-- Whether the dynamic loader is to load objects that the program needs.
local function is_dynamic(p)
  local own, others = locations.name_of_program(p), 0
  for _, module in ipairs(handlers[1] and p:modules() or {}) do
    if module.name ~= own and module.name ~= "[vdso]" then others = others + 1 end
  end
  return others > 0
end

-- p is under control, with the program that it runs.
function breaks.started(p)
  local ready = p.kind == "attached" or p.kind == "adopted"
  live[p] = true
  loading[p] = not ready and not copies[p.kind] and is_dynamic(p)
  if handlers[1] and not copies[p.kind] then resolve_all(p, ready) end
end

-- p runs another program.
function breaks.executed(p)
  live[p], loading[p] = true, is_dynamic(p)
  if handlers[1] then resolve_all(p, false) end
end

local function heir_of(site)
  for p in pairs(live) do
    if p.alive and core.break_find(p, site.addr) == site.id then return p end
  end
end

local function drop_site(site)
  if site.only then take_hits(site, true) end
  sites[site.id] = nil
  for _, handler in ipairs(site.list) do handler.sites[site.id] = nil end
end

-- The memory of the process is gone: numbers that no copy of it has are not needed any more.
function breaks.forget(p)
  local own = made_by[p]
  made_by[p], live[p], loading[p] = nil, nil, nil
  for _, site in ipairs(own or {}) do
    local heir = heir_of(site)
    if heir then
      made_by[heir] = made_by[heir] or {}
      table.insert(made_by[heir], site)
    else
      drop_site(site)
    end
  end
end

-- What was in a module that is not mapped any more.
local function clear(p, module)
  core.aggregate_unmapped(p, module.from, module.to)
  for _, site in pairs(sites) do
    if site.addr >= module.from and site.addr < module.to
      and core.break_find(p, site.addr) == site.id then
      core.break_clear(p, site.addr)
      if not heir_of(site) then drop_site(site) end
    end
  end
end

-- The dynamic loader has mapped or unmapped objects. What comes with the program is ready to run
-- when it tells of it; what comes later is not.
local function modules_changed(p, _, new, gone)
  if not live[p] then return end
  for _, module in ipairs(gone) do clear(p, module) end
  for _, handler in ipairs(handlers) do
    if handler.from_cache[p] then handler.from_cache[p] = nil end
  end
  local first = loading[p]
  loading[p] = nil
  if first then
    resolve_all(p, true)
  elseif new[1] then
    resolve_all(p, false, new)
  end
end

local watching = false

local function watch_modules()
  if watching then return end
  watching = true
  modules.on_change(modules_changed)
end

-- ---- What is where ---------------------------------------------------------------------------

local EMPTY = {}

-- Fill in what is known of an address, once: name, module, file, line, entry. `call`: it is where a
-- function returns to, and its caller is meant.
function frames.describe(t, site)
  if site.described or not t.alive then return site end
  site.described = true
  local p, addr = t.process, site.call and site.addr - 1 or site.addr
  local name, from, module = core.code_at(p, addr)
  site.name, site.module = site.name or name, site.module or module
  if site.entry == nil then site.entry = name ~= nil and from == addr end
  local line = core.line_at and core.line_at(p, addr) or EMPTY
  site.file, site.line = line.file, line.line
  return site
end

-- Where the function that t is inside of returns to, and the stack pointer after that.
function frames.caller(t)
  local stack, message, code = core.stack(t, 2, false)
  if not stack then return nil, message, code end
  local caller = stack[2]
  if not caller or caller.guessed then
    return nil, "ENOENT: nothing tells where the function returns to", "ENOENT"
  end
  return caller.pc, caller.sp
end

-- Whether the module that has this address is called so: by its file's name, or what stands before
-- ".so"; "program" is the program itself.
function breaks.is_module(p, addr, wanted)
  local _, _, module = core.code_at(p, addr)
  if not module then return false end
  if wanted == "program" then wanted = locations.name_of_program(p) or wanted end
  return locations.is_called(module, wanted)
end

-- ---- Hits ----------------------------------------------------------------------------------

-- Whether the function is called from the module that `from` names.
local function is_from(handler, t, f)
  local pc = frames.back(f)
  if not pc then return false end
  local p = t.process
  local cache = handler.from_cache[p]
  if not cache then
    cache = {}
    handler.from_cache[p] = cache
  end
  local known = cache[pc]
  if known == nil then
    known = breaks.is_module(p, pc, handler.options.from)
    cache[pc] = known
  end
  return known
end

-- The conditions are met: count, and call.
local function run(handler, t, f)
  handler.hits = handler.hits + 1
  if handler.hits <= handler.skip then return end
  handler.count = handler.count + 1
  if handler.count == handler.last then handler:remove() end
  if handler.fn then return handler.fn(t, f) end
end

local function call(handler, t, f)
  if handler.removed or not handler.enabled or errors.over then return end
  if handler.asks then
    local options = handler.options
    if options.thread and options.thread ~= t then return end
    if options.process and options.process ~= t.process then return end
    if options.from and not is_from(handler, t, f) then return end
  end
  if handler.plain then
    handler.hits = handler.hits + 1
    handler.count = handler.count + 1
  end
  tasks.start(handler.run, t, f)
end

local function call_definition(handler, t, f)
  if handler.removed or errors.over then return end
  handler.count = handler.count + 1
  tasks.start(handler.fn, t, f)
end

-- t has run onto the breakpoint with this number; `seq` is that of its stop.
function breaks.hit(t, id, seq)
  local site = sites[id]
  if not site then return end
  local list, defined = site.list, hooks.handlers("break")
  local f = frames.new(t, site, seq)
  for i = 1, #list do turns.run(t, call, list[i], t, f) end
  for i = 1, #defined do turns.run(t, call_definition, defined[i], t, f) end
  return f
end

-- ---- Handles -------------------------------------------------------------------------------

local Handle = {}

-- h.hits and h.count are in `struck` and `called`, but for what quick.c has counted.
local counters = { hits = "struck", count = "called" }

function Handle:__index(key)
  if not counters[key] then return Handle[key] end
  for _, site in pairs(self.sites) do
    if site.only == self then
      local count = core.quick_hits(site.id)
      self.struck, self.called = self.struck + count, self.called + count
    end
  end
  return rawget(self, counters[key])
end

function Handle:__newindex(key, value)
  rawset(self, counters[key] or key, value)
end

-- Take the breakpoints out for good. Handlers that wait go on.
function Handle:remove()
  if self.removed then return end
  self.removed = true
  handlers = without(handlers, self)
  release(self)
  if self.feed then self.feed.stop() end
  for _, chooser in ipairs(self.choosers or {}) do
    chooser.removed = true
    release(chooser)
  end
  if self.kept then subscribe.kind("break", false) end
  self.kept = false
end

-- Take the breakpoints out until h:enable().
function Handle:disable()
  if self.removed or not self.enabled then return end
  self.enabled = false
  release(self)
end

function Handle:enable()
  if self.removed then core.raise("this breakpoint was removed") end
  if self.enabled then return end
  self.enabled = true
  for p in pairs(live) do
    if p.alive then resolve(self, p, true) end
  end
end

function Handle:__tostring()
  local state = self.removed and ", removed" or not self.enabled and ", disabled" or ""
  return ("on_%s(\"%s\"): %d address%s, %d hit%s%s"):format(self.kind, self.label, #self.addresses,
    #self.addresses == 1 and "" or "es", self.hits, self.hits == 1 and "" or "s", state)
end

-- ---- Registering ---------------------------------------------------------------------------

local known_options = { once = "boolean", count = "number", skip = "number", thread = "userdata",
  process = "userdata", when = "function", enabled = "boolean", hardware = "boolean",
  after_prologue = "boolean", from = "string" }

local function check_options(kind, options, aggregation)
  if type(options) ~= "table" then
    core.raise(("on_%s: options are a table such as { once = true }"):format(kind))
  end
  local names = {}
  for name in pairs(known_options) do names[#names + 1] = name end
  for name, value in pairs(options) do
    local wanted = known_options[name]
    if name == "when" and aggregation then wanted = "table" end
    if not wanted then
      core.raise(("on_%s: there is no option '%s'%s"):format(kind, tostring(name),
        nearest(tostring(name), names)))
    elseif type(value) ~= wanted then
      local what = wanted == "userdata" and name or wanted
      core.raise(("on_%s: %s is a %s, not a %s"):format(kind, name, what, type(value)))
    end
  end
end

local function specs_of(kind, where)
  local list, labels = {}, {}
  for _, one in ipairs(type(where) == "table" and where or { where }) do
    local spec = locations.parse(one)
    if kind == "call" then
      if spec.kind ~= "symbol" and spec.kind ~= "glob" or spec.offset then
        core.raise(("on_call: '%s' is no function; \"malloc\", \"libc:str*\" and \"libm:*\" are")
          :format(spec.label))
      end
      spec.kind, spec.exported = "glob", true
    end
    list[#list + 1], labels[#labels + 1] = spec, spec.label
  end
  if not list[1] then core.raise(("on_%s needs a location"):format(kind)) end
  return list, table.concat(labels, ", ")
end

local function limit(kind, options, name)
  local value = options[name]
  if value and (value < 1 or value ~= math.floor(value)) then
    core.raise(("on_%s: %s is a number of hits"):format(kind, name))
  end
  return value
end

local function make_run(handler)
  local when = handler.options.when
  handler.plain = not when and handler.skip == 0 and not handler.last and handler.fn ~= nil
  if handler.plain then return handler.fn end
  return function(t, f)
    if when and not when(t, f) then return end
    return run(handler, t, f)
  end
end

-- What an aggregation is fed by; `when` is a table then.
local function make_feed(handler, aggregation, when)
  handler.aggregation = aggregation
  handler.feed = aggregates.feed(aggregation, when, function() handler:remove() end)
end

local for_counts = { when = true, process = true, after_prologue = true }

local function check_count_options(kind, options)
  for name in pairs(options or {}) do
    if known_options[name] and not for_counts[name] then
      core.raise(("on_%s: the option %s needs a function, and cannot be had with an aggregation")
        :format(kind, name))
    end
  end
end

local function make(kind, owner, where, options, fn)
  if fn == nil and (type(options) == "function" or aggregates.is(options)) then
    options, fn = nil, options
  end
  local aggregation = aggregates.is(fn) and fn or nil
  if aggregation then
    check_count_options(kind, options)
    fn = nil
  end
  if fn ~= nil and type(fn) ~= "function" then
    core.raise(("on_%s needs a function as its last argument"):format(kind))
  elseif fn == nil and kind == "call" and not aggregation then
    core.raise("on_call needs a function as its last argument")
  end
  options = options or {}
  check_options(kind, options, aggregation)
  local specs, label = specs_of(kind, where)
  local last = options.once and 1 or limit(kind, options, "count")
  local handler = setmetatable({ kind = kind, owner = owner, fn = fn, specs = specs, label = label,
    options = options, struck = 0, called = 0, last = last,
    skip = limit(kind, options, "skip") or 0,
    enabled = options.enabled ~= false, hardware = options.hardware,
    after_prologue = options.after_prologue, removed = false, sites = {}, known = {},
    addresses = {}, found = {}, from_cache = setmetatable({}, { __mode = "k" }) }, Handle)
  if aggregation then make_feed(handler, aggregation, options.when) end
  handler.run = make_run(handler)
  handler.asks = options.thread or options.process or options.from
  return handler
end

-- on_break(where, [options], [fn]), on_call(where, [options], fn)
local function register(kind, owner, ...)
  local handler = make(kind, owner, ...)
  handlers = with(handlers, handler)
  handler.kept = not handler.feed
  if handler.kept then subscribe.kind("break", true) end
  subscribe.forever("exec")
  watch_modules()
  hooks.any = true
  for p in pairs(live) do
    if p.alive then resolve(handler, p, true) end
  end
  return handler.aggregation or handler
end

for _, kind in ipairs { "break", "call" } do
  hooks.add(kind, function(owner, ...) return register(kind, owner, ...) end)
end

-- ---- The end -------------------------------------------------------------------------------

-- Handlers that never ran.
function breaks.misses()
  for _, handler in ipairs(handlers) do
    local aggregation = handler.aggregation
    local count = aggregation and aggregates.count_of(aggregation) or handler.count
    if count == 0 and not handler.internal and not handler.told then
      if not handler.resolved then
        core.warn(("on_%s: '%s' was never found: %s"):format(handler.kind, handler.label,
          handler.problem or "no program was traced"))
      elseif handler.hits == 0 then
        core.warn(("on_%s: '%s' was never reached"):format(handler.kind, handler.label))
      end
    end
  end
end

return breaks
