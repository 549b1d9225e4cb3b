// parts: scanq/set_file.cc scanq/part.cc lib
//
// A set as it stands in sets/. One that is read is whole: each output has a message, a recipient and a number
// of its own; written again and read again it is the same.
#include "scanq/set_file.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "lib/fd.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

std::string content_of(int fd) {
  Result<std::string> bytes = read_whole(fd, 1 << 26, "read");
  must(bytes.ok());
  return *bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Result<Fd> file = memory_file_with("set", {reinterpret_cast<const char*>(data), size});
  must(file.ok());
  Result<std::vector<Output>> outputs = read_set_file(file->get());
  if (!outputs) {
    must(!outputs.failure().permanent());
    return 0;
  }
  must(!outputs->empty());
  std::set<uint64_t> mids;
  for (const Output& output : *outputs) {
    must(output.mid != 0 && mids.insert(output.mid).second);
    must(!output.envelope.recipients.empty() && is_sealed(output.message.get()));
    must(parse_envelope(serialise_envelope(output.envelope)).ok());
  }
  Result<Fd> written = make_set_file(*outputs);
  must(written.ok());
  Result<std::vector<Output>> again = read_set_file(written->get());
  must(again.ok() && again->size() == outputs->size());
  for (size_t i = 0; i < again->size(); ++i) {
    const Output& one = (*outputs)[i];
    const Output& other = (*again)[i];
    must(one.mid == other.mid && one.holds.size() == other.holds.size());
    must(one.environment.pairs() == other.environment.pairs());
    must(serialise_envelope(one.envelope) == serialise_envelope(other.envelope));
    must(serialise_extras(one.envelope) == serialise_extras(other.envelope));
    must(content_of(one.message.get()) == content_of(other.message.get()));
  }
  return 0;
}
