// What a process that reads hostile files may still do once its signatures are loaded: compute, answer on the
// descriptors that it holds, and keep files in its scratch directory. Nothing of it can be undone.
#pragma once

#include <string>

#include "lib/result.h"

namespace postern {

struct Confined {
  std::string files_open;  // why the kernel does not keep it from other files; empty: it does
};

// No new sockets and no connections, no programs, no other processes (but SIGALRM to `waker`, when it is not
// 0), no files but those below `scratch`, no new rights. A failure is temporary; the process must then not go
// on.
Result<Confined> confine(const std::string& scratch, int waker);

// Character sets are tables that the C library loads from files on first use, which is too late then.
void prepare_character_sets();

}  // namespace postern
