// Binding the socket of a resident, as root before privileges are dropped (design, Trust).
#pragma once

#include <optional>
#include <string_view>

#include "lib/child.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

// A user's numbers from the user database. Not for passing programs: it starts the name service.
Result<Identity> look_up_user(std::string_view name);
// "USER" with its own group, or "USER:GROUP".
Result<Identity> look_up_owner(std::string_view owner);
// Who does that user's work in this instance: itself, or in one without users of its own the queue's owner.
// Nothing: that is us, for we are not root.
Result<std::optional<Identity>> user_of_instance(std::string_view name);
// Becomes that, as root in an instance: so root reads nothing that strangers wrote, and residents know who
// asks.
Result<void> leave_root(std::string_view name);

// Whom the file system lets connect: the owner's group, or every local user.
enum class OpenTo { group, everybody };
// Requests of ours come as packets; protocols of others as streams.
enum class Carries { packets, stream };

// Binds $POSTERN_HOME/run/NAME under a temporary name, gives it to OWNER, "USER" or "USER:GROUP" (only root
// can), mode 0660 or 0666, listens, renames it into place: a client meets the old socket or the new one,
// never none. Backlog: control/backlog, default 128.
Result<Fd> bind_service(std::string_view name, std::string_view owner, OpenTo open_to = OpenTo::group,
                        Carries carries = Carries::packets);

}  // namespace postern
