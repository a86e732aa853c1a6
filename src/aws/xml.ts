/** XML as the AWS query protocol answers it: elements of elements or of text, no attributes but the root's namespace. */
export interface XmlElements {
  readonly [name: string]: string | XmlElements | undefined
}

export function xmlDocument(root: string, namespace: string, elements: XmlElements): string {
  return `<${root} xmlns="${escapeXml(namespace)}">${xmlElements(elements)}</${root}>\n`
}

/** Members without a value are left out. Names come from the program, never from a request. */
function xmlElements(elements: XmlElements): string {
  let text = ''
  for (const [name, value] of Object.entries(elements)) {
    if (value === undefined) continue
    text += `<${name}>${typeof value === 'string' ? escapeXml(value) : xmlElements(value)}</${name}>`
  }
  return text
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
  return text
    .toWellFormed()
    .replace(/[^\t\n\r\u0020-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"'\r]/g, (character) => entities[character] ?? character)
}
