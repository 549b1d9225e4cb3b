// What is wrong with a line of a control file that has a grammar of its own; empty: nothing. The text goes
// behind the line that it is about, and says the remedy.
#pragma once

#include <string>
#include <string_view>

namespace postern {

// A rule of tcprules(1): smtpd looks for the address and for prefixes of it, as text.
std::string problem_of_tcp_rule(std::string_view line);
// The words of postern-antivirus(8); what stands behind an action it checks itself when it loads the file.
std::string problem_of_antivirus_line(std::string_view line);

}  // namespace postern
