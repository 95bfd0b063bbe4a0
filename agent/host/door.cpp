#include "agent/host/door.h"

#include "agent/host/room.h"
#include "agent/process/program.h"
#include "agent/process/supervised.h"
#include "vault/base/file.h"

#include <charconv>
#include <csignal>

namespace holdfast::agent {
namespace {

constexpr int close_ms_max = 2'000;

ProcessPlace process_of(const std::string& folder, const std::string& name) {
    return {folder, "door-" + name};
}

std::string port_file(const std::string& folder, const std::string& name) {
    return folder + "/door-" + name + ".port";
}

}  // namespace

Result<std::uint16_t> open_door(const std::string& folder, const std::string& name,
                                const DoorOrder& order) {
    if (!HF_TRY(is_room_open(folder))) {
        return Error{Errc::NotFound, "the system does not run (its room is closed)"};
    }
    if (!HF_TRY(is_door_open(folder, name))) {
        const Buffer init = HF_TRY(read_file(folder + "/room.init", 32));
        const std::string program = HF_TRY(find_program("holdfast-host"));
        HF_TRY(start_process(
            process_of(folder, name),
            {{program, "door", std::string(as_text(init)), order.address,
              std::to_string(order.port), std::to_string(order.room_port), port_file(folder, name)},
             {}}));
    }
    const Buffer text = HF_TRY(read_file(port_file(folder, name), 16));
    std::uint16_t port = 0;
    const std::string_view digits = as_text(text);
    std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (port == 0) return Error{Errc::Corrupt, port_file(folder, name) + " holds no port"};
    return port;
}

Result<void> close_door(const std::string& folder, const std::string& name) {
    return end_process(process_of(folder, name), SIGTERM, close_ms_max);
}

Result<bool> is_door_open(const std::string& folder, const std::string& name) {
    return HF_TRY(find_process(process_of(folder, name))).has_value();
}

}  // namespace holdfast::agent
