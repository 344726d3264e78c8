// 테마의 검색 일꾼 앞에 붙어, 검색어를 색인에 있는 낱말로 고친다. 테마는 낱말의 앞부분만 비교하기 때문이다.
// 앞줄의 aliases([다른 이름, 이 책의 이름])와 defined({위치: 거기서 정의한 말})는 mgk_book/search.py가 용어 페이지에서 뽑아 적는다.
(() => {
  const ENDINGS =
    "(?:(?:에서|에게|으?로|에|까지|부터|와|과|만|보다|처럼|마다|들)(?:는|은|도|만|의|을|이)?|은|는|이|가|을|를|의|도|나|다|이?란" +
    "|이?라[는고]|이[나며고다]|인가|으?로[써서]|[하되][는기고면]|하다|[한된]다)";
  const MARKED = new RegExp(`^([a-z0-9]+|.{2,}?)${ENDINGS}$`);
  const OPERATORS = /(^|\s)[+-]|[~^*"]/; // 검색의 문법을 아는 사람의 물음은 그대로 둔다
  const strip = (word) => word.match(MARKED)?.[1] ?? word;
  let separator, words, titles, nouns, names, spelled, asked, sought, places;

  const tokens = (text) => text.toLowerCase().split(separator).filter(Boolean);
  const distinct = (texts) => [...new Set(tokens(texts.join(" ").replace(/<[^>]*>/g, " ")))].sort();

  // 색인의 모든 낱말과 그 가운데 조사를 달고 나온 것을 적어 두고, 낱말을 정의한 자리가 먼저 나오게 한다.
  function learn({ config, docs }) {
    separator = new RegExp(config.separator);
    // 출력과 표의 소수는 찾는 말이 아니다. lunr는 색인의 나무에서 글자와 마디의 번호를 이어 적어 마디를 가리므로, 숫자로 된
    // 낱말이 많으면 다른 두 마디를 같다고 보아, 없는 낱말을 찾다가 멈춘다.
    for (const doc of docs) doc.text = doc.text.replace(/[\d,]*\d\.\d+(e[+-]?\d+)?/g, " ");
    titles = distinct(docs.map((doc) => doc.title));
    words = distinct(docs.map((doc) => `${doc.title} ${doc.text}`));
    nouns = new Set(words.filter((word) => strip(word) !== word).map(strip));
    names = aliases.map(([other, name]) => {
      const alias = tokens(other);
      return { alias: alias.join(" "), closed: alias.join(""), name: tokens(name) };
    });
    spelled = [...new Set([...names.flatMap(({ alias, name }) => [...alias.split(" "), ...name]), ...titles])];
    config.fields.defined = { boost: 4 * config.fields.title.boost };
    for (const doc of docs) doc.defined = defined[doc.location]?.join(" ");
    places = new Map(Object.entries(defined).map(([place, terms]) => [place, terms.map((term) => tokens(term).join(" "))]));
  }

  function known(prefix) {
    let [low, high] = [0, words.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (words[middle] < prefix) low = middle + 1;
      else high = middle;
    }
    return low < words.length && words[low].startsWith(prefix);
  }

  // ‘가능도’의 ‘도’는 조사가 아니다: ‘가능도를’처럼 조사를 달고 나온 낱말은 그대로 둔다.
  const stem = (word) => (nouns.has(word) ? word : strip(word));

  // ‘손실함수’ → ‘손실’, ‘함수’: 두 글자가 넘는, 홀로 쓰이는 낱말로 남김없이 나뉠 때만.
  function split(word) {
    for (let end = word.length - 2; end >= 2; end -= 1) {
      const [head, tail] = [word.slice(0, end), word.slice(end)];
      if (!nouns.has(head)) continue;
      const rest = nouns.has(tail) ? [tail] : split(tail);
      if (rest.length) return [head, ...rest];
    }
    return [];
  }

  // 가운데가 맞는 낱말들을, 맞는 곳까지 잘라서.
  function inside(root, among) {
    const words = among.filter((word) => word.includes(root, 1) && /^[\p{L}\p{N}]+$/u.test(word));
    return [...new Set(words.map((word) => word.slice(0, word.indexOf(root, 1) + root.length)))].slice(0, 8);
  }

  // 자모 하나, 영어는 글자 하나가 다르거나 빠지거나 더 있는가.
  function near(one, other) {
    const [short, long] = [one, other].map((word) => word.normalize("NFD")).sort((a, b) => a.length - b.length);
    let same = 0;
    while (same < short.length && short[same] === long[same]) same += 1;
    return [short.slice(same), short.slice(same + 1)].includes(long.slice(same + 1));
  }

  // 어디에도 없는 낱말은 하나 틀린 것으로 보고, 용어와 제목의 낱말로 고친다.
  function corrected(word) {
    const root = stem(word);
    const right = root.length < 2 || known(root) || split(root).length || inside(root, words).length;
    return (right ? null : spelled.find((other) => other.startsWith(root)) ?? spelled.find((other) => near(root, other))) ?? word;
  }

  // 앞부분이 맞는 것, 나뉜 것, 제목의 가운데가 맞는 것. 하나도 없으면 글의 가운데를, 그래도 없으면 끝을 줄여 가며 찾는다.
  function find(word) {
    const root = stem(word);
    const found = [...(known(root) ? [root] : []), ...split(root)];
    if (/^[가-힣]{2,}$/.test(root)) found.push(...inside(root, titles));
    for (let end = root.length; end >= 2 && !found.length; end -= 1) {
      const start = root.slice(0, end);
      found.push(...(known(start) ? [start] : inside(start, words)));
    }
    return found;
  }

  function rewrite(query) {
    const plain = query.normalize("NFC").toLowerCase();
    asked = [];
    if (OPERATORS.test(plain)) return query;
    const typed = tokens(plain);
    const parts = typed.map(corrected);
    const [spaced, joined] = [` ${parts.join(" ")}`, parts.join("")];
    // 한글의 뒤에는 조사가 붙는다. 영어는 낱말이 끝나야 한다: ‘CE’는 ‘certificates’가 아니다.
    const stands = (alias) => spaced.split(` ${alias}`).slice(1).some((after) => /^(?:e?s)?(?![a-z0-9])/.test(after));
    const isCalled = ({ alias, closed }) => stands(alias) || (/[가-힣]/.test(alias) && joined.includes(closed));
    const called = names.filter(isCalled);
    sought = called.map(({ name }) => name.join(" "));
    const meant = called.flatMap(({ name }) => name.flatMap(find));
    const pieces = called.flatMap(({ alias, closed }) => [...alias.split(" "), closed]);
    asked = parts.map((word, index) => ({
      word: typed[index],
      clauses: pieces.some((piece) => word.startsWith(piece)) ? [...meant, ...(known(word) ? [word] : [])] : find(word),
    }));
    const pairs = parts.slice(1).map((part, index) => stem(parts[index] + part)).filter(known);
    const clauses = new Set([...asked.flatMap((each) => each.clauses), ...pairs]);
    // ^2를 단 것은 낱말이 똑같을 때, 달지 않은 것은 앞부분이 같을 때 맞는다.
    return [...clauses].flatMap((clause) => [`${clause}^2`, clause]).join(" ") || plain;
  }

  // ‘찾을 수 없음’에는 고친 낱말이 아니라 물은 낱말을 보인다.
  function restore(terms) {
    const found = Object.keys(terms).filter((term) => terms[term]);
    const missing = asked.filter(({ clauses }) => !clauses.some((clause) => terms[clause]));
    return Object.fromEntries([...found.map((term) => [term, true]), ...missing.map(({ word }) => [word, false])]);
  }

  // 테마는 물음의 조각이 많이 맞을수록 앞세운다. 우리가 여럿으로 고친 낱말은 조각도 여럿이라 혼자 순서를 가르므로,
  // 물은 낱말이 페이지에서 얼마나 맞았는지로 다시 센다.
  function order(pages) {
    const lead = (item, share) => 1 + (share + !item.parent) ** 2; // 테마의 식
    const weight = (items) => {
      const found = new Set(items.flatMap(({ terms }) => Object.keys(terms).filter((term) => terms[term])));
      const share = asked.filter(({ clauses }) => clauses.some((clause) => found.has(clause))).length / asked.length;
      const weights = items.filter(({ score }) => score).map((item) => {
        const hits = Object.values(item.terms);
        return (item.score * lead(item, share)) / lead(item, hits.filter(Boolean).length / hits.length);
      });
      // 물은 용어를 정의한 곳이 그 말을 쓰는 곳보다 앞선다.
      const defines = items.some(({ location }) => sought.some((name) => places.get(location)?.includes(name)));
      return Math.max(...weights) * (defines ? 4 : 1);
    };
    const weights = new Map(pages.map((items) => [items, weight(items)]));
    pages.sort((one, other) => weights.get(other) - weights.get(one));
  }

  // 테마보다 먼저 듣고, 테마가 보낸 것은 고쳐서 보낸다.
  addEventListener("message", ({ data: message }) => {
    if (message.type === 0) learn(message.data);
    if (message.type === 2) message.data = rewrite(message.data);
  });
  const send = self.postMessage.bind(self);
  self.postMessage = (message) => {
    if (message.type === 3 && asked.length) {
      order(message.data.items);
      for (const item of message.data.items.flat()) if (item.score) item.terms = restore(item.terms);
    }
    send(message);
  };
})();
