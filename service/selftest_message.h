// The two messages that every scanner must find, made so that no scanner finds them in our source or program.
#pragma once

#include <string>
#include <string_view>

namespace postern {

enum class TestKind { eicar, gtube };

// Lines ended by CR LF. `marker` stands in the subject; the EICAR file is an attachment, for engines know it
// as a whole file only; GTUBE is a line of the text.
std::string test_message(TestKind kind, std::string_view marker, std::string_view recipient);

}  // namespace postern
