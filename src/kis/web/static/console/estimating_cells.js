// What is typed and pasted, in the API's own terms. Pure: no page in here.

/** The columns of the grid of breakers, from left to right. */
export const COLUMNS = ["model", "quantity", "poles", "af", "at", "type", "name", "brand"];

const TYPES = {
  MCCB: "MCCB", NFB: "MCCB", 배선용: "MCCB", 배선용차단기: "MCCB", M: "MCCB",
  ELCB: "ELCB", ELB: "ELCB", 누전: "ELCB", 누전차단기: "ELCB", E: "ELCB",
  MCB: "MCB", RCBO: "RCBO",
};
const POLES = /^([1-4])\s*[P극]$/i;
const FRAME = /^(\d+)\s*AF$/i;
const RATED = /^(\d+)\s*(?:AT|A)$/i;
const BOTH = /^(\d+)(?:AF)?\s*\/\s*(\d+)(?:AT|A)?$/i;
const PIECES = /^(?:[x×*]\s*(\d+)|(\d+)\s*(?:EA|개|대|SET|PCS))$/i;
const NUMBER = /^\d[\d,]*(?:\.0+)?$/;
const CODE = /^(?=.*\d)(?=.*[A-Z])[\w.\-/]+$/i;

const HEADERS = {
  model: ["모델", "모델명", "형식", "형명", "품번", "model", "type no", "part"],
  quantity: ["수량", "개수", "qty", "quantity", "ea", "대수", "수 량"],
  poles: ["극수", "극", "p", "pole", "poles"],
  af: ["af", "프레임", "frame"],
  at: ["at", "정격", "정격전류", "전류", "trip", "a"],
  type: ["종류", "종별", "구분", "type", "kind", "차단기"],
  name: ["회로명", "회로", "용도", "부하", "부하명", "명칭", "name", "circuit", "load"],
  brand: ["브랜드", "제조사", "메이커", "brand", "maker"],
  line: ["규격", "사양", "spec", "specification", "품명", "차단기규격"],
};

/** Return what stands in a cell of a column, as the API takes it; undefined for nothing. */
export function valueOf(column, typed) {
  const text = typed.trim();
  if (text === "") return undefined;
  if (column === "poles") return /^[1-4]$/.test(text) ? `${text}P` : text.replace(POLES, "$1P");
  if (column === "type") return TYPES[text.toUpperCase()] ?? text;
  if (column === "af" || column === "at" || column === "quantity") {
    const bare = text.replace(/\s*(AF|AT|A|EA|개|대)$/i, "").replace(/^[x×*]\s*/i, "");
    return NUMBER.test(bare) ? Number(bare.replaceAll(",", "")) : text;
  }
  return text;
}

/**
 * Read a line such as `3P 50/30 x4` or `ELCB 2P 30AF 20AT 전등` into cells; null when a
 * part of it could mean several things, or it is a mere name of a model.
 */
export function readLine(text) {
  const cells = {};
  const take = (column, value) => {
    if (column in cells) return false;
    cells[column] = value;
    return true;
  };
  const words = text.trim().replace(/([1-4]P)(?=\d)/gi, "$1 ").replace(/([x×*])\s+(?=\d+\b)/gi, "$1").split(/[\s,]+/);
  let known = false;
  for (const word of words) {
    let match;
    let isTaken;
    if (TYPES[word.toUpperCase()] && word.length > 1) isTaken = take("type", TYPES[word.toUpperCase()]);
    else if ((match = POLES.exec(word))) isTaken = take("poles", `${match[1]}P`);
    else if ((match = BOTH.exec(word))) isTaken = take("af", match[1]) && take("at", match[2]);
    else if ((match = FRAME.exec(word))) isTaken = take("af", match[1]);
    else if ((match = RATED.exec(word))) isTaken = take("at", match[1]);
    else if ((match = PIECES.exec(word))) isTaken = take("quantity", match[1] ?? match[2]);
    else if (NUMBER.test(word) && words.length === 1) isTaken = take("af", word);
    else if (NUMBER.test(word)) return null;
    else {
      const column = !known ? "model" : CODE.test(word) && !("model" in cells) && !("af" in cells) ? "model" : "name";
      cells[column] = cells[column] ? `${cells[column]} ${word}` : word;
      continue;
    }
    if (!isTaken) return null;
    known = true;
  }
  // A model and a frame beside it would say the same twice: of the two the model leads.
  return known ? cells : null;
}

/** Return the cells of a table as spreadsheets copy it: tabs, line ends, quotes. */
function split(text) {
  const rows = [[""]];
  let isQuoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const letter = text[i];
    const row = rows.at(-1);
    if (isQuoted) {
      if (letter !== '"') row[row.length - 1] += letter;
      else if (text[i + 1] === '"') { row[row.length - 1] += '"'; i += 1; } else isQuoted = false;
    } else if (letter === '"' && row.at(-1) === "") isQuoted = true;
    else if (letter === "\t") row.push("");
    else if (letter === "\n") rows.push([""]);
    else if (letter !== "\r") row[row.length - 1] += letter;
  }
  return rows.map((row) => row.map((cell) => cell.replace(/\s+/g, " ").trim()))
    .filter((row) => row.some((cell) => cell !== ""));
}

function headerOf(cell) {
  const plain = cell.toLowerCase().replace(/[\s()[\].:]/g, "");
  if (plain === "") return null;
  return Object.keys(HEADERS).find((column) => HEADERS[column].some((name) => name.replace(/\s/g, "") === plain)) ?? null;
}

function kindOf(cells) {
  const all = (test) => cells.length > 0 && cells.every(test);
  if (all((cell) => POLES.test(cell))) return "poles";
  if (all((cell) => FRAME.test(cell))) return "af";
  if (all((cell) => RATED.test(cell))) return "at";
  if (all((cell) => PIECES.test(cell))) return "quantity";
  if (all((cell) => cell.length > 1 && TYPES[cell.toUpperCase()])) return "type";
  if (all((cell) => NUMBER.test(cell))) return "number";
  if (all((cell) => Object.keys(readLine(cell) ?? {}).some((column) => ["af", "poles"].includes(column)))) return "line";
  return cells.length ? "text" : null;
}

const isCounted = (cells) => cells.length > 1 && cells.every((cell, index) => Number(cell) === index + 1);

/**
 * Read a block of cells. `columns` says for each what it is (null: nothing of ours);
 * `isSure` is false when two columns of bare numbers could be either.
 */
export function readTable(text, from = "model") {
  const rows = split(text);
  if (!rows.length) return { columns: [], rows: [], isSure: true };
  const width = Math.max(...rows.map((row) => row.length));
  for (const row of rows) while (row.length < width) row.push("");
  const heads = rows[0].map(headerOf);
  const named = heads.filter(Boolean).length;
  if (named && named * 2 > rows[0].filter(Boolean).length) {
    return { columns: heads, rows: rows.slice(1), isSure: true };
  }
  if (from !== "model") {
    const first = COLUMNS.indexOf(from);
    return { columns: rows[0].map((_, index) => COLUMNS[first + index] ?? null), rows, isSure: true };
  }
  return { ...infer(rows, width), rows };
}

function infer(rows, width) {
  const cellsOf = (index) => rows.map((row) => row[index]).filter(Boolean);
  const columns = Array.from({ length: width }, (_, index) => kindOf(cellsOf(index)));
  const taken = new Set(columns);
  const place = (index, choices) => {
    columns[index] = choices.find((column) => !taken.has(column)) ?? null;
    taken.add(columns[index]);
  };
  columns.forEach((kind, index) => {
    if (kind === "text") place(index, taken.has("line") ? ["name"] : ["model", "name"]);
  });
  const numbers = columns.flatMap((kind, index) => (kind === "number" ? [index] : []));
  if (numbers.length > 1 && isCounted(cellsOf(numbers[0]))) columns[numbers.shift()] = null;
  const isSure = numbers.length < 2;
  const isFirstPoles = !isSure && cellsOf(numbers[0]).every((cell) => /^[1-4]$/.test(cell));
  numbers.forEach((index) => place(index, isFirstPoles
    ? ["poles", "quantity", "at", "af"] : ["quantity", "at", "af", "poles"]));
  return { columns, isSure };
}

/** Return the cells of a pasted row by column; a `line` is read into several. */
export function cellsOf(row, columns) {
  const cells = {};
  row.forEach((text, index) => {
    const column = columns[index];
    if (!column || text === "") return;
    if (column === "line") Object.assign(cells, readLine(text) ?? { model: text });
    else cells[column] = text;
  });
  return cells;
}
