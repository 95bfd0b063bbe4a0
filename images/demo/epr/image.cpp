#include "images/demo/epr/image.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace holdfast::demo {
namespace {

constexpr int image_width = static_cast<int>(image_columns);
constexpr int image_height = static_cast<int>(image_rows);
constexpr int air = 40;  // Stored values: Hounsfield units + 1024.
constexpr int value_max = 4095;

struct Ellipse {
    int x, y;    // The centre.
    int rx, ry;  // Half the axes.
    int value;
};

int square_root(int n) {
    int root = 0;
    for (int bit = 1 << 15; bit > 0; bit >>= 1) {
        const std::int64_t next = root + bit;
        if (next * next <= n) root += bit;
    }
    return root;
}

/// The organs of one slice, outermost first. What the series says stays; `slice` shrinks the lungs
/// and moves the heart.
std::vector<Ellipse> anatomy(const Dataset& data, std::uint64_t series, int slice) {
    Draw draw(data.seed, Kind::Series, series);
    const auto about = [&draw](int value, int spread) {
        return value + static_cast<int>(draw.between(-spread, spread));
    };
    const int width = about(205, 25);
    const int depth = about(148, 20);
    const int lung = depth * 3 / 5 - slice;
    return {{256, 260, width, depth, 944},                                                // Fat.
            {256, 260, width - about(16, 8), depth - about(14, 6), 1074},                 // Muscle.
            {256 - width / 2, 250, width * 2 / 5 - slice, lung, about(180, 30)},          // Lungs.
            {256 + width / 2, 250, width * 2 / 5 - slice, lung, about(180, 30)},          //
            {about(280, 12) - slice / 2, 236 + slice, about(58, 8), about(50, 8), 1090},  // Heart.
            {256, 260 + depth * 3 / 5, 26, 22, about(1420, 80)},                          // Spine.
            {256, 260 + depth * 3 / 5, 9, 8, 1050},
            {about(244, 4), 260 + depth / 4, 13, 13, about(1130, 40)}};  // Aorta.
}

/// Row `y` without noise.
void draw_row(const std::vector<Ellipse>& organs, int y, std::array<int, image_columns>& line) {
    line.fill(air);
    for (const Ellipse& e : organs) {
        const int dy = y - e.y;
        if (std::abs(dy) >= e.ry) continue;
        const int half = square_root(e.rx * e.rx / e.ry * (e.ry * e.ry - dy * dy) / e.ry);
        const int from = std::clamp(e.x - half, 0, image_width);
        const int to = std::clamp(e.x + half, 0, image_width);
        for (int x = from; x < to; ++x) {
            const int slope = (x - e.x) * 24 / e.rx + dy * 18 / e.ry;
            line[static_cast<std::size_t>(x)] = e.value + slope;
        }
    }
}

/// Edges of tissue are not sharper than the scanner: a moving mean of three.
void soften(std::array<int, image_columns>& line) {
    int before = line[0];
    for (std::size_t x = 1; x + 1 < line.size(); ++x) {
        const int here = line[x];
        line[x] = (before + 2 * here + line[x + 1]) / 4;
        before = here;
    }
}

/// Adds the sum of four draws of 4 bits to every pixel (deviation 9; a quarter of that in air).
void put_row(Draw& noise, const std::array<int, image_columns>& line, Buffer& out) {
    std::uint64_t bits = 0;
    for (std::size_t x = 0; x < line.size(); ++x) {
        if (x % 4 == 0) bits = noise.next();
        int sum = -30;
        for (int i = 0; i < 4; ++i, bits >>= 4) sum += static_cast<int>(bits & 15U);
        const int value = line[x] + (line[x] <= air + 8 ? sum / 4 : sum);
        const auto stored = static_cast<std::uint16_t>(std::clamp(value, 0, value_max));
        out.push_back(static_cast<std::uint8_t>(stored & 255U));
        out.push_back(static_cast<std::uint8_t>(stored >> 8));
    }
}

/// DICOM data elements, explicit VR little endian.
class Elements {
public:
    explicit Elements(Buffer& out) : out_(out) {}

    /// Text is padded to an even length, UI with a zero, others with a blank.
    void text(std::uint16_t group, std::uint16_t element, std::string_view vr, std::string value) {
        if (value.size() % 2 != 0) value.push_back(vr == "UI" ? '\0' : ' ');
        head(group, element, vr);
        out_.u16(static_cast<std::uint16_t>(value.size()));
        out_.bytes(as_view(value));
    }
    void number(std::uint16_t group, std::uint16_t element, std::uint16_t value) {
        head(group, element, "US");
        out_.u16(2);
        out_.u16(value);
    }
    void long_number(std::uint16_t group, std::uint16_t element, std::uint32_t value) {
        head(group, element, "UL");
        out_.u16(4);
        out_.u32(value);
    }
    /// OB and OW: the length is of 32 bits, after two bytes of zeros.
    void bytes_head(std::uint16_t group, std::uint16_t element, std::string_view vr,
                    std::uint32_t length) {
        head(group, element, vr);
        out_.u16(0);
        out_.u32(length);
    }
    void raw(View bytes) { out_.bytes(bytes); }

private:
    void head(std::uint16_t group, std::uint16_t element, std::string_view vr) {
        out_.u16(group);
        out_.u16(element);
        out_.bytes(as_view(vr));
    }
    ByteWriter out_;
};

constexpr std::string_view ct_storage = "1.2.840.10008.5.1.4.1.1.2";

/// Part 10's head: preamble, mark and group 2.
void put_file_head(const Image& image, Buffer& out) {
    Buffer meta;
    Elements group(meta);
    constexpr std::array<std::uint8_t, 2> version{0, 1};
    group.bytes_head(2, 1, "OB", version.size());
    group.raw(version);
    group.text(2, 2, "UI", std::string(ct_storage));
    group.text(2, 3, "UI", image.instance_uid);
    group.text(2, 0x10, "UI", "1.2.840.10008.1.2.1");
    group.text(2, 0x12, "UI", "2.25.1");
    out.resize(128);
    Elements head(out);
    head.raw(as_view("DICM"));
    head.long_number(2, 0, static_cast<std::uint32_t>(meta.size()));
    head.raw(meta);
}

std::string compact(std::string date) {
    std::erase(date, '-');
    return date;
}

void put_identity(const Image& image, const Patient& of, Elements& out) {
    out.text(8, 5, "CS", "ISO_IR 192");
    out.text(8, 0x16, "UI", std::string(ct_storage));
    out.text(8, 0x18, "UI", image.instance_uid);
    out.text(8, 0x20, "DA", compact(image.taken_on));
    out.text(8, 0x60, "CS", "CT");
    out.text(8, 0x70, "LO", "SYNTHETIC");
    out.text(0x10, 0x10, "PN", of.family_name + "^" + of.given_name);
    out.text(0x10, 0x20, "LO", of.nhs_number);
    out.text(0x10, 0x30, "DA", compact(of.born));
    out.text(0x10, 0x40, "CS", of.sex == "female" ? "F" : "M");
    out.text(0x18, 0x50, "DS", "5.0");
    out.text(0x20, 0xd, "UI", image.study_uid);
    out.text(0x20, 0xe, "UI", image.study_uid + ".1");
    out.text(0x20, 0x13, "IS", std::to_string(image.slice));
}

void put_pixel_description(Elements& out) {
    out.number(0x28, 2, 1);
    out.text(0x28, 4, "CS", "MONOCHROME2");
    out.number(0x28, 0x10, image_rows);
    out.number(0x28, 0x11, image_columns);
    out.text(0x28, 0x30, "DS", "0.7\\0.7");
    out.number(0x28, 0x100, 16);
    out.number(0x28, 0x101, 12);
    out.number(0x28, 0x102, 11);
    out.number(0x28, 0x103, 0);
    out.text(0x28, 0x1050, "DS", "40");
    out.text(0x28, 0x1051, "DS", "400");
    out.text(0x28, 0x1052, "DS", "-1024");
    out.text(0x28, 0x1053, "DS", "1");
}

}  // namespace

Image image(const Dataset& data, std::uint64_t id) {
    Image out;
    out.series = 1 + (id - 1) / slices_max;
    out.slice = 1 + (id - 1) % slices_max;
    Draw draw(data.seed, Kind::Image, out.series);
    out.encounter = 1 + draw.below(data.encounters());
    const Encounter of = encounter(data, out.encounter);
    out.patient = of.patient;
    out.taken_on = date_text(of.started);
    out.study_uid = "2.25." + std::to_string(draw.next() >> 1);
    out.instance_uid = out.study_uid + ".1." + std::to_string(out.slice);
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "images/S%06llu/I%04llu.dcm",
                  static_cast<unsigned long long>(out.series),
                  static_cast<unsigned long long>(out.slice));
    out.path = path.data();
    return out;
}

Buffer image_file(const Dataset& data, std::uint64_t id, const Image& image) {
    constexpr std::size_t pixel_bytes = image_rows * image_columns * 2;
    Buffer out;
    out.reserve(pixel_bytes + 2048);
    put_file_head(image, out);
    Elements elements(out);
    put_identity(image, patient(data, image.patient), elements);
    put_pixel_description(elements);
    elements.bytes_head(0x7fe0, 0x10, "OW", pixel_bytes);
    const auto organs = anatomy(data, image.series, static_cast<int>(image.slice));
    Draw noise(data.seed, Kind::Image, id << 32);  // Series numbers stay far below.
    std::array<int, image_columns> line{};
    for (int y = 0; y < image_height; ++y) {
        draw_row(organs, y, line);
        soften(line);
        put_row(noise, line, out);
    }
    return out;
}

}  // namespace holdfast::demo
