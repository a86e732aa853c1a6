/** XML as the AWS query protocol answers it: elements of elements or of text, no attributes but the root's namespace. */
export interface XmlElements {
  /** A list is as many elements of the name. */
  readonly [name: string]: XmlValue | readonly XmlValue[] | undefined
}

export type XmlValue = string | XmlElements

export function xmlDocument(root: string, namespace: string, elements: XmlElements): string {
  return `<${root} xmlns="${escapeXml(namespace)}">${xmlElements(elements)}</${root}>\n`
}

/** Members without a value are left out. Names come from the program, never from a request. */
function xmlElements(elements: XmlElements): string {
  let text = ''
  for (const [name, value] of Object.entries(elements)) {
    if (value === undefined) continue
    for (const item of isList(value) ? value : [value]) {
      text += `<${name}>${typeof item === 'string' ? escapeXml(item) : xmlElements(item)}</${name}>`
    }
  }
  return text
}

/** `Array.isArray` does not tell a readonly list from the elements. */
function isList(value: XmlValue | readonly XmlValue[]): value is readonly XmlValue[] {
  return Array.isArray(value)
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\r': '&#13;',
}

/**
 * Text that an XML 1.0 parser reads back as it was. A character that XML 1.0 cannot hold, escaped or not (most control
 * characters, a lone surrogate), is replaced by U+FFFD.
 */
export function escapeXml(text: string): string {
  // Nearly all texts are such, and an answer may have a hundred thousand.
  if (/^[\w:/.+=@, -]*$/.test(text)) return text
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"'\r]/g, (character) => entities[character] ?? character)
}
