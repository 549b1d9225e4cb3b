# For tests of what runs as a mailbox's user: as root that user is nobody, else ourselves.

if [ "$(id -u)" = 0 ]; then
  MAILBOX_UID=$(id -u nobody) MAILBOX_GID=$(id -g nobody)
else
  MAILBOX_UID=$(id -u) MAILBOX_GID=$(id -g)
fi

# as_user COMMAND…
as_user() {
  if [ "$(id -u)" = 0 ]; then
    setpriv --reuid "$MAILBOX_UID" --regid "$MAILBOX_GID" --clear-groups "$@"
  else
    "$@"
  fi
}

# make_mailbox NAME: the home $T/NAME with a Maildir, of the mailbox's user.
make_mailbox() {
  mkdir -p "$T/$1"/Maildir/{tmp,new,cur}
  chmod -R go-w "$T/$1"
  [ "$(id -u)" = 0 ] && chown -R "$MAILBOX_UID:$MAILBOX_GID" "$T/$1"
  return 0
}

# strace writes here as that user.
: > "$T/trace"
[ "$(id -u)" = 0 ] && chown "$MAILBOX_UID" "$T/trace"
true
