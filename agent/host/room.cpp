#include "agent/host/room.h"

#include "agent/process/program.h"
#include "agent/process/supervised.h"
#include "vault/base/file.h"

#include <algorithm>
#include <array>
#include <csignal>

namespace holdfast::agent {
namespace {

constexpr std::string_view magic = "HFROOM1\n";
constexpr std::size_t texts_max = 200;
constexpr std::size_t text_max = 4'096;
constexpr int own_ms = 10'000;  // What the room's own processes may take beyond the runtime.
constexpr std::array<std::string_view, 9> system_folders{
    "/usr/", "/etc/", "/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/", "/opt/"};

ProcessPlace process_of(const std::string& folder) {
    return {folder, "room"};
}

void write_texts(ByteWriter& out, const std::vector<std::string>& texts) {
    out.varint(texts.size());
    for (const std::string& text : texts) out.text(text);
}

std::vector<std::string> read_texts(ByteReader& in) {
    const std::uint64_t count = in.varint();
    if (count > texts_max) in.fail();
    std::vector<std::string> out;
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) out.push_back(in.text(text_max));
    return out;
}

Result<std::string> init_of(const std::string& folder) {
    if (!HF_TRY(is_room_open(folder))) {
        return Error{Errc::NotFound, "the system does not run (its room is closed)"};
    }
    const Buffer text = HF_TRY(read_file(folder + "/room.init", 32));
    return std::string(as_text(text));
}

}  // namespace

bool in_system_folder(const std::string& path) {
    return std::any_of(system_folders.begin(), system_folders.end(),
                       [&](std::string_view folder) { return path.starts_with(folder); });
}

Buffer encode_room(const RoomOrder& order, const std::string& folder) {
    Buffer bytes;
    ByteWriter out(bytes);
    out.bytes(as_view(magic));
    for (const std::string* text : {&folder, &order.name, &order.user}) out.text(*text);
    write_texts(out, order.writable);
    write_texts(out, order.programs);
    write_texts(out, order.start);
    out.varint(static_cast<std::uint64_t>(order.stop_signal));
    out.varint(static_cast<std::uint64_t>(order.stop_seconds));
    return bytes;
}

Result<ParsedRoom> parse_room(View bytes) {
    ByteReader in(bytes);
    ParsedRoom parsed;
    RoomOrder& order = parsed.order;
    if (as_text(in.bytes(magic.size())) != magic) return Error{Errc::Corrupt, "no room order"};
    for (std::string* text : {&parsed.folder, &order.name, &order.user}) *text = in.text(text_max);
    order.writable = read_texts(in);
    order.programs = read_texts(in);
    order.start = read_texts(in);
    order.stop_signal = static_cast<int>(in.varint() & 0x7f);
    order.stop_seconds = static_cast<int>(in.varint() & 0xffff);
    if (!in.done() || order.start.empty()) return Error{Errc::Corrupt, "the room order is cut off"};
    return parsed;
}

Result<void> open_room(const std::string& folder, const RoomOrder& order) {
    HF_TRY(make_folders(folder + "/root", 0755));
    const std::string program = HF_TRY(find_program("holdfast-host"));
    const Buffer input = encode_room(order, folder);
    HF_TRY(start_process(process_of(folder), {{program, "room"}, input}));
    return {};
}

Result<bool> is_room_open(const std::string& folder) {
    return HF_TRY(find_process(process_of(folder))).has_value();
}

Result<void> close_room(const std::string& folder, int stop_seconds) {
    return end_process(process_of(folder), SIGTERM, stop_seconds * 1000 + own_ms);
}

std::string room_log(const std::string& folder) {
    return log_tail(process_of(folder));
}

Result<CommandResult> run_in_room(const std::string& folder, const std::string& user,
                                  const Arguments& command, int ms_max) {
    const std::string init = HF_TRY(init_of(folder));
    CommandOrder order;
    order.command = {HF_TRY(find_program("holdfast-host")), "enter", init, user};
    order.command.insert(order.command.end(), command.begin(), command.end());
    order.ms_max = ms_max;
    return run_command(order);
}

Result<std::string> ask_in_room(const std::string& folder, const RoomQuery& query) {
    const std::string init = HF_TRY(init_of(folder));
    CommandOrder order;
    order.command = {HF_TRY(find_program("holdfast-host")),
                     "sql",
                     init,
                     query.user,
                     query.socket_dir,
                     std::to_string(query.port),
                     query.database,
                     std::to_string(query.ms_max)};
    order.input = as_view(query.query);
    order.ms_max = query.ms_max + own_ms;
    CommandResult result = HF_TRY(run_command(order));
    if (!result.ok()) return Error{Errc::Invalid, result.error_tail};
    return std::move(result.output);
}

}  // namespace holdfast::agent
