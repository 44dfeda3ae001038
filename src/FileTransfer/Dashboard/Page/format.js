// Numbers and times as a person reads them.

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
const whole = new Intl.NumberFormat('en');

// What the clock of the node is ahead of this browser's.
let skew = 0;

export function setNow(date) {
  if (date) skew = Date.parse(date) - Date.now();
}

export function now() {
  return Date.now() + skew;
}

export function number(value) {
  return whole.format(value);
}

export function bytes(value) {
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

export function rate(value) {
  return `${bytes(value)}/s`;
}

export function span(seconds) {
  if (!(seconds > 0.5)) return '0 s';
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

export function age(iso) {
  return span((now() - Date.parse(iso)) / 1000);
}

export function clock(iso) {
  return new Date(iso).toLocaleTimeString('en-GB');
}

// Enough of a key or a bucket to tell it from others.
export function short(hex) {
  return hex.length > 18 ? `${hex.slice(0, 12)}…` : hex;
}

// A file by its name in its bucket; a location that is no text by its bytes.
export function nameOf(file) {
  return file.location ?? file.locationHex ?? short(file.key);
}

export function plural(count, one, many = `${one}s`) {
  return `${number(count)} ${count === 1 ? one : many}`;
}
