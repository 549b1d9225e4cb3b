// postern-cdbmake - compile tables of control/ to the constant databases that the programs read.
//
//   usage      postern-cdbmake TABLE...
//   reads      control/TABLE under POSTERN_HOME, text
//   writes     control/TABLE.cdb, in one step: readers see the old table or the new one
//   exit       0 done, 100 a table is wrong (its old .cdb stays), 111 try again

#include "lib/cdb_table.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "service/tables.h"

namespace postern {
namespace {

constexpr size_t kTableLimitBytes = size_t{512} * 1024 * 1024;

Result<void> compile(const std::string& table) {
  const std::string path = home_path("control/" + table);
  Result<CdbRecords> empty = parse_table(table, "", path);  // a name that is no table opens no file
  if (!empty) return empty.failure();
  Result<std::string> text = read_file(path, kTableLimitBytes);
  if (!text) return text.failure();
  Result<CdbRecords> records = parse_table(table, *text, path);
  if (!records) return records.failure();
  return write_cdb(path + ".cdb", *records);
}

int run(int argc, char** argv) {
  if (argc < 2) {
    std::string known;
    for (const std::string& table : compiled_tables()) known += " " + table;
    log_critical("start", "name the tables to compile:" + known);
    return 100;
  }
  for (int i = 1; i < argc; ++i) {
    const Result<void> compiled = compile(argv[i]);
    if (compiled) continue;
    log_critical(std::string("compile ") + argv[i], compiled.failure().text);
    return compiled.failure().permanent() ? 100 : 111;
  }
  return 0;
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-cdbmake", {}, postern::run, argc, argv);
}
