#include "images/demo/epr/letter.h"

#include "images/demo/epr/words.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <vector>

namespace holdfast::demo {
namespace {

constexpr std::size_t pdf_lines = 56;     // On one page.
constexpr std::size_t wrap_columns = 90;  // Of plain text and PDF.
constexpr std::uint64_t patients_in_folder = 200;

std::string letter_path(std::uint64_t id, std::uint64_t patient, Format format) {
    std::array<char, 64> name{};
    std::snprintf(name.data(), name.size(), "letters/%04u/L%09llu.",
                  static_cast<unsigned>(patient / patients_in_folder),
                  static_cast<unsigned long long>(id));
    return name.data() + format_name(format);
}

std::string body_of(const Dataset& data, Draw& draw, const Letter& letter, const Encounter& of) {
    const Patient p = patient(data, letter.patient);
    std::string text = "CAMBERWICK GREEN HOSPITALS NHS TRUST - SYNTHETIC RECORD, NO REAL PERSON\n" +
                       of.ward + ", extension ";
    expand("####\n", draw, text);
    text += letter.written_on + "\n\nTo: " + p.practice + "\nRe: " + p.given_name + " " +
            p.family_name + ", born " + p.born + ", NHS number " + p.nhs_number + "\n" + p.address +
            ", " + p.postcode + "\n\nDear Doctor,\n\nDiagnoses\n- " + of.reason + "\n";
    for (std::int64_t i = draw.between(1, 4); i > 0; --i) expand("- {c}\n", draw, text);
    text += "\nMedication\n";
    for (std::int64_t i = draw.between(2, 6); i > 0; --i) expand("- {d}\n", draw, text);
    for (std::int64_t paragraph = draw.between(3, 5); paragraph > 0; --paragraph) {
        text += "\n";
        for (std::int64_t i = draw.between(4, 8); i > 0; --i) {
            type_hastily(phrase('N', draw), draw, text);
            text += " ";
        }
        text += "\n";
    }
    return text + "\nYours sincerely,\n" + of.clinician + "\n" + phrase('r', draw) + "\n";
}

/// `text` in lines of at most wrap_columns, broken at blanks.
std::vector<std::string> wrapped(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        std::size_t stop = end;
        if (end - at > wrap_columns) {
            const std::size_t blank = text.rfind(' ', at + wrap_columns);
            if (blank != std::string::npos && blank > at) stop = blank;
        }
        lines.push_back(text.substr(at, stop - at));
        at = stop + 1;
    }
    return lines;
}

std::string as_plain_text(const Letter& letter) {
    std::string out = letter.title + "\r\n\r\n";
    for (const std::string& line : wrapped(letter.body)) out += line + "\r\n";
    return out;
}

std::string as_html(const Letter& letter) {
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n<title>" +
        letter.title +
        "</title>\n<style>\nbody { font: 11pt/1.4 Arial, sans-serif; margin: 2cm; "
        "max-width: 40em; }\nh1 { color: #005eb8; font-size: 15pt; border-bottom: 1px solid; }\n"
        "p { margin: 0 0 0.4em 0; }\n@media print { body { margin: 0; } }\n</style>\n</head>\n"
        "<body>\n<h1>" +
        letter.title + "</h1>\n";
    std::string line;
    for (const char c : letter.body) {
        switch (c) {
            case '\n':
                out += "<p>" + line + "</p>\n";
                line.clear();
                break;
            case '&':
                line += "&amp;";
                break;
            case '<':
                line += "&lt;";
                break;
            case '>':
                line += "&gt;";
                break;
            default:
                line.push_back(c);
        }
    }
    return out + "</body>\n</html>\n";
}

/// `line` as a PDF string. The names' accented letters are two bytes of UTF-8 here and one octal
/// escape of WinAnsi there.
std::string pdf_string(const std::string& line) {
    std::string out = "(";
    for (std::size_t i = 0; i < line.size(); ++i) {
        const auto c = static_cast<unsigned char>(line[i]);
        if (c >= 0xc2 && i + 1 < line.size()) {
            const unsigned code = ((c & 3U) << 6) | (static_cast<unsigned char>(line[++i]) & 63U);
            std::array<char, 8> octal{};
            std::snprintf(octal.data(), octal.size(), "\\%03o", code);
            out += octal.data();
            continue;
        }
        if (c == '(' || c == ')' || c == '\\') out.push_back('\\');
        out.push_back(line[i]);
    }
    return out + ")";
}

/// A PDF's objects by number, and the table of their offsets at its end.
class PdfFile {
public:
    void object(std::size_t number, const std::string& content) {
        if (offsets_.size() <= number) offsets_.resize(number + 1);
        offsets_[number] = out_.size();
        out_ += std::to_string(number) + " 0 obj\n" + content + "\nendobj\n";
    }
    std::string done() && {
        const std::size_t table = out_.size();
        const std::string count = std::to_string(offsets_.size());
        out_ += "xref\n0 " + count + "\n0000000000 65535 f \n";
        for (std::size_t i = 1; i < offsets_.size(); ++i) {
            std::array<char, 32> line{};
            std::snprintf(line.data(), line.size(), "%010zu 00000 n \n", offsets_[i]);
            out_ += line.data();
        }
        return std::move(out_) + "trailer\n<< /Size " + count + " /Root 1 0 R >>\nstartxref\n" +
               std::to_string(table) + "\n%%EOF\n";
    }

private:
    std::string out_ = "%PDF-1.4\n";
    std::vector<std::size_t> offsets_{0};
};

std::string as_pdf(const Letter& letter) {
    std::vector<std::string> lines = wrapped(letter.title + "\n\n" + letter.body);
    const std::size_t pages = (lines.size() + pdf_lines - 1) / pdf_lines;
    std::string kids;
    for (std::size_t i = 0; i < pages; ++i) kids += std::to_string(4 + 2 * i) + " 0 R ";
    PdfFile pdf;
    pdf.object(1, "<< /Type /Catalog /Pages 2 0 R >>");
    pdf.object(2, "<< /Type /Pages /Kids [ " + kids + "] /Count " + std::to_string(pages) + " >>");
    pdf.object(3,
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica "
               "/Encoding /WinAnsiEncoding >>");
    for (std::size_t page = 0; page < pages; ++page) {
        std::string text = "BT /F1 10 Tf 13 TL 50 790 Td\n";
        const std::size_t last = std::min(lines.size(), (page + 1) * pdf_lines);
        for (std::size_t i = page * pdf_lines; i < last; ++i) text += pdf_string(lines[i]) + " '\n";
        text += "ET";
        pdf.object(4 + 2 * page,
                   "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources "
                   "<< /Font << /F1 3 0 R >> >> /Contents " +
                       std::to_string(5 + 2 * page) + " 0 R >>");
        pdf.object(5 + 2 * page, "<< /Length " + std::to_string(text.size()) + " >>\nstream\n" +
                                     text + "\nendstream");
    }
    return std::move(pdf).done();
}

}  // namespace

std::string format_name(Format format) {
    switch (format) {
        case Format::Text:
            return "txt";
        case Format::Html:
            return "html";
        case Format::Pdf:
            return "pdf";
    }
    return {};
}

Letter letter(const Dataset& data, std::uint64_t id) {
    Draw draw(data.seed, Kind::Letter, id);
    const bool live = id > data.letters();
    Letter out;
    out.encounter = live ? data.encounters() + (id - data.letters()) * letter_every
                         : 1 + draw.below(data.encounters());
    const Encounter of = encounter(data, out.encounter);
    out.patient = of.patient;
    out.written_on = date_text(of.started + (live ? 0 : draw.between(0, 14) * day_s));
    out.title = phrase('T', draw);
    constexpr std::array formats{Format::Text, Format::Html, Format::Html, Format::Pdf};
    out.format = formats[draw.below(formats.size())];
    out.path = letter_path(id, out.patient, out.format);
    out.body = body_of(data, draw, out, of);
    return out;
}

std::optional<std::uint64_t> letter_in(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || path.rfind("letters/", 0) != 0) return std::nullopt;
    const char* first = path.data() + slash + 1;
    const char* last = path.data() + path.size();
    if (first == last || *first != 'L') return std::nullopt;
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(first + 1, last, id);
    if (error != std::errc{} || end == last || *end != '.' || id == 0) return std::nullopt;
    return id;
}

std::string render(const Letter& letter) {
    switch (letter.format) {
        case Format::Text:
            return as_plain_text(letter);
        case Format::Html:
            return as_html(letter);
        case Format::Pdf:
            return as_pdf(letter);
    }
    return {};
}

}  // namespace holdfast::demo
