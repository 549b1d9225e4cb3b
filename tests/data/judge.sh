#!/bin/sh
# A queue program of an operator: refuses by subject with a reply text, and hands everything else on to the program $JUDGE_NEXT
# in the file beside it (as the interface says: descriptors and environment stay as they are).
subject=$(sed -n 's/^Subject: //p; /^$/q' | head -n 1)
case $subject in
  *lottery*) printf 'D554 5.7.1 no %s here, please' lotteries >&6; exit 82 ;;
  *greylist*) printf 'Z451 4.7.1 come back later' >&6; exit 82 ;;
  *shrug*) exit 82 ;;
  *mumble*) printf 'what is this' >&6; exit 82 ;;
  *refuse*) exit 31 ;;
  *die*) kill -9 $$ ;;
  *parent*) kill -9 $PPID; exit 0 ;;
  *chatter*) head -c 70000 /dev/zero; exit 0 ;;
esac
exec "$(cat "$(dirname "$0")/next")"
