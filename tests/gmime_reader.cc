// gmime_reader FILE…: the contents that GMime decodes out of each mail: "F FILE", then a line of hexadecimal
// for each.
#include <gmime/gmime.h>

#include <cstdio>

namespace {

void print_content(GMimeObject* part) {
  GMimeDataWrapper* content = GMIME_IS_PART(part) ? g_mime_part_get_content(GMIME_PART(part)) : nullptr;
  if (content == nullptr) return;
  GMimeStream* stream = g_mime_stream_mem_new();
  g_mime_data_wrapper_write_to_stream(content, stream);
  const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
  for (unsigned i = 0; i < bytes->len; ++i) printf("%02x", bytes->data[i]);
  printf("\n");
  g_object_unref(stream);
}

void print_parts(GMimeObject*, GMimeObject* part, void*) {
  print_content(part);
  if (!GMIME_IS_MESSAGE_PART(part)) return;
  GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(part));
  if (inner != nullptr) g_mime_message_foreach(inner, print_parts, nullptr);
}

}  // namespace

int main(int argc, char** argv) {
  g_mime_init();
  for (int i = 1; i < argc; ++i) {
    printf("F %s\n", argv[i]);
    GMimeStream* stream = g_mime_stream_file_open(argv[i], "r", nullptr);
    GMimeParser* parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage* message = g_mime_parser_construct_message(parser, nullptr);
    if (message != nullptr) g_mime_message_foreach(message, print_parts, nullptr);
    g_object_unref(parser);
    g_object_unref(stream);
  }
  return 0;
}
