/* compat.h - what differs between versions of Lua, and nothing else does. Everything in bindings/
 * calls these instead of the functions that changed; the names are the same for all versions. */
#ifndef LT_COMPAT_H
#define LT_COMPAT_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#if LUA_VERSION_NUM == 504
#include "compat_54.h"
#elif LUA_VERSION_NUM == 501
#include "compat_jit.h"
#else
#error "this luatrace is for Lua 5.4 and LuaJIT"
#endif

#endif
