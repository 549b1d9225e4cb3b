// postern-newv - make the table of a virtual domain's users, TABLE.cdb, from its text.
//
//   postern-newv [TABLE]     default: mailboxes in the current directory
//
//   reads      TABLE: postern-mailboxes(5)
//   writes     TABLE.cdb, in one step: a delivery meets the old table or the new one
//   exit       0 done, 100 a line is wrong (nothing was changed), 111 try again

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/text.h"
#include "local/virtual_users.h"

namespace postern {
namespace {

constexpr size_t kTableLimitBytes = size_t{512} * 1024 * 1024;

Result<void> compile(const std::string& path) {
  Result<std::string> text = read_file(path, kTableLimitBytes);
  if (!text) return text.failure();
  Result<VirtualTable> table = parse_virtual_table(*text, printable(path));
  if (!table) return table.failure();
  for (const std::string& doubt : table->doubts) log_warning("use a line", doubt);
  return write_cdb(path + ".cdb", table->records);
}

int run(int argc, char** argv) {
  if (argc > 2 || (argc == 2 && argv[1][0] == '-')) {
    log_critical("start", "it takes the name of the table alone: postern-newv [TABLE]");
    return 100;
  }
  const std::string path = argc == 2 ? argv[1] : "mailboxes";
  Result<void> compiled = compile(path);
  if (compiled) return 0;
  log_critical("make " + printable(path) + ".cdb", compiled.failure().text);
  return compiled.failure().permanent() ? 100 : 111;
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-newv", {}, postern::run, argc, argv);
}
