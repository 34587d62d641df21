-- SPDX-License-Identifier: GPL-2.0-only
-- For pandoc: makes a page of one of the repository's documents. Links between documents become links between pages, the title is
-- the first heading, and what is wider than a telephone may scroll by itself. $PAGES has the documents, one a line; the
-- metadata `source` says which one this is, `root` leads from its page to the first.

local pages = {}
for page in (os.getenv("PAGES") or ""):gmatch("[^\n]+") do pages[page] = true end
local source, root = "", ""

-- docs/a.md and ../README.md give README.md; without a way out of the repository.
local function resolve(path)
  local parts = {}
  for part in (source:match("^(.*/)") or ""):gmatch("[^/]+") do table.insert(parts, part) end
  for part in path:gmatch("[^/]+") do
    if part == ".." then table.remove(parts) elseif part ~= "." then table.insert(parts, part) end
  end
  return table.concat(parts, "/")
end

local function page_of(document) return root .. document:gsub("%.md$", ""):lower() .. ".html" end

-- What a link is called that was the name of a document.
local function title(name) return name:match("%l") and name or name:sub(1, 1) .. name:sub(2):lower() end

local function link(element)
  local target = element.target
  if target:match("^%a+:") or target:match("^#") then return end
  local path, anchor = target:match("^([^#]*)(.*)$")
  path = resolve(path)
  if pages[path] then
    element.target = page_of(path) .. anchor
    local name = pandoc.utils.stringify(element.content):match("([%w-]+)%.md$")
    if name then element.content = { pandoc.Str(title(name)) } end
  elseif path == "LICENSE" then
    element.target = root .. "license.txt"
  else
    local folder = source:match("^(examples/[^/]+/)")
    if folder and path:sub(1, #folder) == folder then
      -- make-pages adds the files of an example to its page.
      element.target = "#" .. path:sub(#folder + 1):lower():gsub("[^%w_-]", "")
      return element
    end
    return pandoc.Code(pandoc.utils.stringify(element.content)) -- a source file: no page has it
  end
  return element
end

-- docs/start.md in the middle of a sentence.
local function text(element)
  local before, document, after = element.text:match("^(%(?)([%w/-]+%.md)([%).,;:]*)$")
  if document and pages[document] and document ~= source then
    return { pandoc.Str(before), pandoc.Link(title(document:match("([%w-]+)%.md")), page_of(document)), pandoc.Str(after) }
  end
end

local function image(element)
  element.src = root .. resolve(element.src)
  element.attributes.loading = "lazy"
  return element
end

local function wide(element)
  for index in ipairs(element.colspecs) do
    -- Pandoc would give each column a part of the line by the width of the source.
    element.colspecs[index][2] = nil
  end
  return pandoc.Div(element, { class = "scroll", tabindex = "0" })
end

local function escape(line) return (line:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;")) end

-- What is typed stands out from what is answered.
local function code(element)
  local lines, typed, goes_on = {}, false, false
  for line in (element.text .. "\n"):gmatch("(.-)\n") do
    local prompt, words = line:match("^([#$]) (.*)$")
    -- A comment is not what root types.
    if prompt == "#" and not words:match("^apt%-get ") then prompt = nil end
    if prompt or goes_on then
      typed = true
      words = prompt and words or line
      local command, remark = words:match("^(.-)(%s%s+#.*)$")
      table.insert(lines, '<span class="typed' .. (prompt == "#" and " root" or goes_on and " on" or "") .. '">' ..
        escape(command or words) .. (remark and "<i>" .. escape(remark) .. "</i>" or "") .. "</span>")
      goes_on = words:match("\\$") ~= nil
    else
      table.insert(lines, escape(line))
    end
  end
  return pandoc.RawBlock("html", '<div class="code"><pre tabindex="0"' .. (typed and ' class="terminal"' or "") .. "><code>" ..
    table.concat(lines, "\n") .. "</code></pre></div>")
end

local function document(doc)
  for _, block in ipairs(doc.blocks) do
    if block.t == "Header" and block.level == 1 then
      doc.meta.title = block.content
      break
    end
  end
  return doc
end

local function metadata(meta)
  source, root = pandoc.utils.stringify(meta.source), pandoc.utils.stringify(meta.root or "")
end

return {
  { Meta = metadata },
  { Link = link, Str = text },
  { Image = image, Table = wide, CodeBlock = code },
  { Pandoc = document },
}
