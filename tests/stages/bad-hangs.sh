#!/bin/sh
# fails: answers-in-time
# It does not end.
exec sleep 1000
