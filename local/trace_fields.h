// The trace fields that final delivery puts in front of a message: Return-Path (RFC 5321, 4.4) and qmail's
// Delivered-To, by which a loop of forwards is found.
#pragma once

#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

// A local-part as it is written in a header field: quoted unless it is a dot-atom or a quoted-string already.
std::string quote_local_part(std::string_view local);

// "Return-Path: <SENDER>" with the LF. Control bytes become '_', so that a sender cannot add a line.
std::string return_path_line(std::string_view sender);

// "Delivered-To: LOCAL@DOMAIN" with the LF; control bytes become '_'.
std::string delivered_to_line(std::string_view local, std::string_view domain);

// Has the header of the message (a file, read from offset 0) this very line? Letter case is ignored. Reads up
// to the empty line that ends the header, 64 KiB at a time.
Result<bool> header_has_line(int message, std::string_view line);

}  // namespace postern
