// postern-newu - make users/cdb, which postern-lspawn reads, from users/assign.
//
//   reads      users/assign under POSTERN_HOME: qmail-users(5)'s format; postern-newu(8) describes it
//   writes     users/cdb, in one step: readers see the old table or the new one
//   exit       0 done, 100 users/assign is wrong (nothing was changed), 111 try again

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "local/assign.h"

namespace postern {
namespace {

constexpr size_t kAssignLimitBytes = size_t{512} * 1024 * 1024;

Result<void> compile(const std::string& assign, const std::string& cdb) {
  Result<std::string> text = read_file(assign, kAssignLimitBytes);
  if (!text) return text.failure();
  Result<AssignTable> table = parse_assign(*text, assign);
  if (!table) return table.failure();
  for (const std::string& doubt : table->doubts) log_warning("use a line", doubt);
  return write_cdb(cdb, table->records);
}

int run(int argc, char** /*argv*/) {
  if (argc != 1) {
    log_critical("start", "it takes no arguments: it reads users/assign under POSTERN_HOME");
    return 100;
  }
  Result<void> compiled = compile(home_path("users/assign"), home_path("users/cdb"));
  if (compiled) return 0;
  log_critical("make users/cdb", compiled.failure().text);
  return compiled.failure().permanent() ? 100 : 111;
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-newu", {}, postern::run, argc, argv);
}
