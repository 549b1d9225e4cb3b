// The DKIM-Signature fields of one message (RFC 6376).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lib/dkim_table.h"
#include "lib/result.h"
#include "sign/canonical.h"
#include "sign/dkim_key.h"

namespace postern {

// The header in memory, the hash of the body by its canonical form.
struct DigestedMessage {
  std::string header;                            // with the empty line, where there is one
  std::map<Canonical, std::string> body_hashes;  // SHA-256, 32 bytes
};

// Reads the message once from its start, a file. At most kHeaderLimitBytes of header: beyond it a permanent
// failure. `forms`: which hashes are wanted.
constexpr size_t kHeaderLimitBytes = 1024 * 1024;
Result<std::string> header_of_file(int message);
Result<DigestedMessage> digest_message(int message, std::string header, const std::vector<Canonical>& forms);

// Names for h=, in order: each field of these names that is there, the last first, and the oversigned ones
// once more. Empty where there are too many.
std::vector<std::string> names_to_sign(const std::vector<SignedField>& fields,
                                       const std::vector<SignedHeader>& wanted);

// The whole field, its lines ended by LF.
Result<std::string> dkim_signature(const DigestedMessage& message, const DkimLine& line, const DkimKey& key,
                                   const std::vector<SignedHeader>& wanted, uint64_t now_seconds);

}  // namespace postern
