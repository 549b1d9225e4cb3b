// Variable envelope return paths: a message whose sender ends with "-@[]" has one of its own for each
// recipient, as qmail-send makes them, so that a bounce says which address of a list it is for.
#pragma once

#include <string>
#include <string_view>

namespace postern {

// "list-@host-@[]" for "user@dom": "list-user=dom@host". Any other sender as it is.
std::string sender_for(std::string_view sender, std::string_view recipient);

// Who is told of the message itself: "list-@host" for "list-@host-@[]". Any other sender as it is.
std::string told_sender(std::string_view sender);

}  // namespace postern
