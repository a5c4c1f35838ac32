# frozen_string_literal: true

# Run the test vectors: ruby test/vectors_test.rb

require 'json'
require_relative '../lib/darkroom_signer'

DOCUMENT = JSON.parse(File.read(File.expand_path('../../signing.json', __dir__), encoding: 'UTF-8'))
KEY = DOCUMENT.fetch('key')

def check(holds, what)
  abort "failed: #{what}" unless holds
end

def refused?
  yield
  false
rescue ArgumentError
  true
end

signer = DarkroomSigner.new('', KEY)
vectors = DOCUMENT['images'] + DOCUMENT['targets']
vectors.each do |vector|
  check signer.sign(vector['target'], expires: vector['expires']) == vector['signed'], vector['target']
end
DOCUMENT['images'].each do |vector|
  url = DarkroomSigner.new('https://images.example.com/', KEY)
                      .url(vector['image'], vector['options'], expires: vector['expires'])
  check url == "https://images.example.com#{vector['signed']}", vector['target']
end
DOCUMENT['extensions'].each do |vector|
  url = DarkroomSigner.new('https://images.example.com/', KEY)
                      .extension(vector['image'], vector['name'], vector['options'], expires: vector['expires'])
  check url == "https://images.example.com#{vector['signed']}", vector['target']
end
DOCUMENT['messages'].each do |vector|
  signature = DarkroomSigner.sign_message(vector['text'], KEY, purpose: vector['purpose'])
  check signature == vector['signature'], "#{vector['purpose']}: #{vector['text']}"
end
built = signer.url('a.jpg', { w: 1, gray: true }, expires: Time.at(5.9))
check built == signer.sign('/a.jpg?gray=1&w=1', expires: 5), 'a time'
['', 'a//b.jpg', '../a.jpg', 'a/./b.jpg', 'a.jpg/_/w-9.webp', 'a/'].each do |image|
  check refused? { signer.url(image) }, "key '#{image}'"
  check refused? { signer.extension(image, 'example', { w: 64 }) }, "extension of '#{image}'"
  check refused? { signer.sign("/#{image}?w=1") }, "path '#{image}'"
end
check refused? { signer.sign('a.jpg') }, 'a relative path'
check refused? { DarkroomSigner.new('', '') }, 'an empty key'
check refused? { DarkroomSigner.sign_message('upload-token:MTkw', KEY) }, 'a text without a slash'
check refused? { DarkroomSigner.sign_message('/a.jpg', '') }, 'an empty key of a message'
puts "#{vectors.size + DOCUMENT['extensions'].size + DOCUMENT['messages'].size} vectors"
