// The processes of this machine, as /proc shows them.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace postern::stagetest {

struct ProcessLine {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = '?';  // Z: a zombie
};
// Of /proc/PID/stat; pid 0 where it is not of that form.
ProcessLine parse_process(std::string_view stat);
std::vector<ProcessLine> all_processes();
// Those that descend from `ancestor`, it excluded.
std::vector<ProcessLine> below(const std::vector<ProcessLine>& processes, pid_t ancestor);

// Orphans of what we started become our children from now on, not those of process 1.
void adopt_orphans();
// Waits for our children to end by themselves, and kills and reaps the rest; how many that were.
size_t end_left_behind(int64_t grace_milliseconds);

}  // namespace postern::stagetest
