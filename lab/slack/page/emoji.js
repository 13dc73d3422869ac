// The emoji an on-call channel uses. An unknown name stays as :name:, as in Slack.

const emoji = new Map(Object.entries({
  white_check_mark: "✅", heavy_check_mark: "✔️", ballot_box_with_check: "☑️", x: "❌", negative_squared_cross_mark: "❎",
  warning: "⚠️", question: "❓", grey_question: "❔", exclamation: "❗", grey_exclamation: "❕", bangbang: "‼️",
  no_entry: "⛔", no_entry_sign: "🚫", octagonal_sign: "🛑", construction: "🚧", rotating_light: "🚨", sos: "🆘",
  red_circle: "🔴", large_orange_circle: "🟠", large_yellow_circle: "🟡", large_green_circle: "🟢", large_blue_circle: "🔵",
  large_purple_circle: "🟣", white_circle: "⚪", black_circle: "⚫", large_green_square: "🟩", large_red_square: "🟥",
  large_yellow_square: "🟨", hourglass: "⌛", hourglass_flowing_sand: "⏳", stopwatch: "⏱️", alarm_clock: "⏰", clock1: "🕐",
  eyes: "👀", "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", ok_hand: "👌", raised_hands: "🙌", clap: "👏",
  pray: "🙏", wave: "👋", point_right: "👉", point_up: "☝️", muscle: "💪", raised_hand: "✋", hand: "✋",
  lock: "🔒", unlock: "🔓", closed_lock_with_key: "🔐", key: "🔑", old_key: "🗝️", shield: "🛡️", identification_card: "🪪",
  mag: "🔍", mag_right: "🔎", link: "🔗", paperclip: "📎", pushpin: "📌", bulb: "💡", wrench: "🔧", hammer: "🔨",
  hammer_and_wrench: "🛠️", gear: "⚙️", nut_and_bolt: "🔩", electric_plug: "🔌", stethoscope: "🩺", adhesive_bandage: "🩹",
  pill: "💊", bar_chart: "📊", chart_with_upwards_trend: "📈", chart_with_downwards_trend: "📉", clipboard: "📋",
  memo: "📝", page_facing_up: "📄", scroll: "📜", books: "📚", file_folder: "📁", package: "📦", label: "🏷️",
  information_source: "ℹ️", speech_balloon: "💬", bell: "🔔", no_bell: "🔕", mega: "📣", loudspeaker: "📢",
  arrow_right: "➡️", arrow_left: "⬅️", arrow_up: "⬆️", arrow_down: "⬇️", leftwards_arrow_with_hook: "↩️",
  arrows_counterclockwise: "🔄", repeat: "🔁", fast_forward: "⏩", heavy_plus_sign: "➕", heavy_minus_sign: "➖",
  small_blue_diamond: "🔹", small_orange_diamond: "🔸", black_small_square: "▪️", white_small_square: "▫️",
  fire: "🔥", fire_extinguisher: "🧯", boom: "💥", zap: "⚡", rocket: "🚀", tada: "🎉", sparkles: "✨", star: "⭐",
  robot_face: "🤖", ghost: "👻", bug: "🐛", bee: "🐝", honeybee: "🐝", turtle: "🐢", snail: "🐌", cloud: "☁️",
  partly_sunny: "⛅", sunny: "☀️", umbrella: "☔", coffee: "☕", bike: "🚲", bicyclist: "🚴", busts_in_silhouette: "👥",
  heart: "❤️", broken_heart: "💔", joy: "😂", smile: "😄", slightly_smiling_face: "🙂", thinking_face: "🤔", sweat_smile: "😅",
  cry: "😢", wink: "😉", grin: "😁", laughing: "😆", rolling_on_the_floor_laughing: "🤣", innocent: "😇", upside_down_face: "🙃",
  exploding_head: "🤯", face_palm: "🤦", shrug: "🤷", melting_face: "🫠", saluting_face: "🫡", nerd_face: "🤓", partying_face: "🥳",
  skull: "💀", clown_face: "🤡", handshake: "🤝", crossed_fingers: "🤞", v: "✌️", fist: "✊", writing_hand: "✍️", brain: "🧠",
  seedling: "🌱", evergreen_tree: "🌲", cactus: "🌵", apple: "🍎", pizza: "🍕", cake: "🍰", beer: "🍺", tea: "🍵", dog: "🐶", cat: "🐱",
  whale: "🐳", snake: "🐍", crab: "🦀", hedgehog: "🦔", unicorn_face: "🦄", ship: "🚢", airplane: "✈️", car: "🚗", train: "🚋",
  checkered_flag: "🏁", triangular_flag_on_post: "🚩", trophy: "🏆", dart: "🎯", game_die: "🎲", balloon: "🎈", gift: "🎁",
  calendar: "📆", date: "📅", email: "📧", inbox_tray: "📥", outbox_tray: "📤", phone: "☎️", telephone_receiver: "📞", satellite_antenna: "📡",
  computer: "💻", floppy_disk: "💾", dvd: "📀", card_file_box: "🗃️", wastebasket: "🗑️", hook: "🪝", ladder: "🪜", magnet: "🧲",
  test_tube: "🧪", thermometer: "🌡️", microscope: "🔬", telescope: "🔭", battery: "🔋", flashlight: "🔦", candle: "🕯️", ocean: "🌊",
  snowflake: "❄️", rainbow: "🌈", lightning: "🌩️", tornado: "🌪️", milky_way: "🌌", earth_americas: "🌎", new: "🆕", ok: "🆗", up: "🆙",
  recycle: "♻️", infinity: "♾️", hash: "#️⃣", radio_button: "🔘", ab: "🆎", atom_symbol: "⚛️", chains: "⛓️", bomb: "💣", moneybag: "💰",
  four: "4️⃣", five: "5️⃣", black_large_square: "⬛", white_large_square: "⬜", large_blue_square: "🟦", large_orange_square: "🟧",
  speech_left: "🗨️", thought_balloon: "💭", zzz: "💤", double_vertical_bar: "⏸️", arrow_forward: "▶️", stop_button: "⏹️", scream: "😱", sleeping: "😴", sunglasses: "😎", 100: "💯", one: "1️⃣", two: "2️⃣", three: "3️⃣",
}));

/** quick are the reactions one click away; picker are those of the menu. */
export const quick = ["white_check_mark", "eyes", "+1"];
export const picker = [
  "white_check_mark", "x", "eyes", "+1", "-1", "pray", "raised_hands", "tada", "heart", "fire", "rotating_light", "warning",
  "question", "thinking_face", "lock", "key", "mag", "wrench", "rocket", "coffee", "bike", "100", "joy", "scream",
];

/** search finds names that begin with what was typed, then those that contain it. */
export function search(typed) {
  const names = [...emoji.keys()].filter((n) => n.includes(typed));
  return names.sort((a, b) => Number(b.startsWith(typed)) - Number(a.startsWith(typed)));
}

/** draw is the emoji of a name, or the name between colons. */
export function draw(name) {
  return emoji.get(name.replace(/::skin-tone-\d$/, "")) ?? `:${name}:`;
}
